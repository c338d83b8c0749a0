from __future__ import annotations

import asyncio

from runtime.clock import Clock


async def until(event: asyncio.Event, delay_s: float | None, clock: Clock) -> bool:
    """Wait until `event` is set or `delay_s` seconds have passed, whichever comes first.

    Args:
        event: What ends the wait early.
        delay_s: None waits for the event alone.
        clock: Time.

    Returns:
        Whether the event is set.
    """
    if event.is_set() or (delay_s is not None and delay_s <= 0):
        return event.is_set()
    if delay_s is None:
        return await event.wait()
    waits = (
        asyncio.ensure_future(event.wait()),
        asyncio.ensure_future(clock.sleep(delay_s)),
    )
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return event.is_set()
