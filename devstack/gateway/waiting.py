from __future__ import annotations

import asyncio
from typing import Any

from runtime.clock import Clock


async def within(clock: Clock, delay_s: float, future: asyncio.Future[Any]) -> bool:
    """Wait at most `delay_s` for `future`, which goes on when that is not enough."""
    sleeper = asyncio.ensure_future(clock.sleep(delay_s))
    try:
        await asyncio.wait([future, sleeper], return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeper.cancel()
        await asyncio.gather(sleeper, return_exceptions=True)
    return future.done()
