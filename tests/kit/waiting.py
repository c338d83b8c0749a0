from __future__ import annotations

import asyncio
from collections.abc import Callable


async def eventually(holds: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait until `holds()` is true; fail after `within_s` seconds of real time."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.002)
