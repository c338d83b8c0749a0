from __future__ import annotations

import asyncio

from runtime.clock import Clock


async def sleep_or_wake(clock: Clock, delay_s: float | None, wakeup: asyncio.Event) -> None:
    """Wait `delay_s` seconds (None: for ever), or until `wakeup` is set."""
    if delay_s is None:
        await wakeup.wait()
        return
    waits = [
        asyncio.ensure_future(clock.sleep(delay_s)),
        asyncio.ensure_future(wakeup.wait()),
    ]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
