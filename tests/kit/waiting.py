"""Waiting, in real time, for what has no event of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE_S = 90.0
"""How long a test waits in real time for what is sure to come.

It only ends a test that hangs, so it is ample: on an idle machine these waits take milliseconds, a
busy one may stretch them sixteen-fold or stand still for seconds. A test that must tell "at once"
from "after a time" gives the alternative a time well beyond this.
"""


async def eventually(holds: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    """Wait until `holds()` is true; fail after `within_s` seconds of real time."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.002)
