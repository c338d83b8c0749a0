"""Waits that end early, on a clock that is an argument."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from runtime.clock import Clock


async def settled(
    tasks: Collection[asyncio.Task[Any]], clock: Clock, within_s: float
) -> set[asyncio.Task[Any]]:
    """Wait until all tasks are done or `within_s` seconds have passed.

    Returns:
        The tasks that are not done.
    """
    if tasks:
        sleeping = asyncio.ensure_future(clock.sleep(within_s))
        everything = asyncio.ensure_future(asyncio.wait(tasks))
        await _first_of(everything, sleeping)
    return {task for task in tasks if not task.done()}


async def pause(stop: asyncio.Event, clock: Clock, delay_s: float) -> None:
    """Wait `delay_s` seconds, or until `stop` is set."""
    if delay_s > 0 and not stop.is_set():
        await _first_of(
            asyncio.ensure_future(clock.sleep(delay_s)), asyncio.ensure_future(stop.wait())
        )


async def _first_of(*waits: asyncio.Task[Any]) -> None:
    """Wait for one of them; the others are cancelled, also when we are."""
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
