from __future__ import annotations

import asyncio
import time
from typing import Protocol

from typing_extensions import override


class Clock(Protocol):
    """Time as an argument, so that a test moves it instead of sleeping."""

    def now_ms(self) -> int:
        """Wall-clock time in milliseconds since 1970-01-01 UTC, as Zeebe writes deadlines."""
        ...

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait `delay_s` seconds; ends early only by cancellation."""
        ...


class SystemClock(Clock):
    """The machine's own clock."""

    @override
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    @override
    def monotonic_s(self) -> float:
        return time.monotonic()

    @override
    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
