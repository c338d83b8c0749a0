from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from runtime.clock import Clock


async def within(clock: Clock, delay_s: float, waited_for: Awaitable[Any]) -> bool:
    """Wait at most `delay_s` for something; whether it came. A future goes on when it did not."""
    future = asyncio.ensure_future(waited_for)
    sleeper = asyncio.ensure_future(clock.sleep(delay_s))
    try:
        await asyncio.wait([future, sleeper], return_when=asyncio.FIRST_COMPLETED)
        return future.done()
    finally:
        ours = [sleeper] if future is waited_for else [sleeper, future]
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)
