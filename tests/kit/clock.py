from __future__ import annotations

import asyncio
import heapq
from itertools import count

from typing_extensions import override

from runtime.clock import SystemClock


class FakeClock:
    """A clock that a test moves: sleepers wake in order when `advance` passes their time."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._start_ms = now_ms
        self._elapsed_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def now_ms(self) -> int:
        return self._start_ms + round(self._elapsed_s * 1000)

    def monotonic_s(self) -> float:
        return self._elapsed_s

    async def sleep(self, delay_s: float) -> None:
        if delay_s <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed_s + delay_s, next(self._order), woken))
        await woken

    @property
    def sleeping_s(self) -> list[float]:
        """Seconds left for each sleeper that still waits, nearest first."""
        return sorted(at - self._elapsed_s for at, _, woken in self._sleepers if not woken.done())

    async def advance(self, delay_s: float) -> None:
        """Move time on by `delay_s`, waking each sleeper at its own moment."""
        until_s = self._elapsed_s + delay_s
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= until_s:
            at_s, _, woken = heapq.heappop(self._sleepers)
            self._elapsed_s = max(self._elapsed_s, at_s)
            if not woken.done():
                woken.set_result(None)
            await _settle()
        self._elapsed_s = until_s
        await _settle()


class NotingClock(SystemClock):
    """The machine's clock, which notes how long each wait was meant to be."""

    def __init__(self) -> None:
        self.waits_s: list[float] = []

    @override
    async def sleep(self, delay_s: float) -> None:
        self.waits_s.append(delay_s)
        await super().sleep(delay_s)


async def _settle() -> None:
    """Let every task that can run do so; socket I/O needs real time and is not waited for."""
    for _ in range(20):
        await asyncio.sleep(0)
