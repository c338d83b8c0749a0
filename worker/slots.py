from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class _Waiter:
    at_least: int
    granted: asyncio.Future[int]


class Slots:
    """Places for the jobs held at once; whoever fetches jobs takes their places first.

    First come, first served: a poll that waits for many places is not starved by a stream that
    takes each one as it comes free. A gateway that gives more jobs than it was asked for leaves
    less than nothing free; then nobody is served until that is made up for.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._closed = False
        self._waiting: deque[_Waiter] = deque()

    @property
    def free(self) -> int:
        """Places that nobody has; negative when the gateway gave too many jobs."""
        return self._size - self._taken

    async def take(self, at_least: int, at_most: int) -> int:
        """Wait for `at_least` places, then take what is free up to `at_most`.

        Returns:
            How many were taken; 0 once the slots are closed.
        """
        if self._closed:
            return 0
        if self._waiting or self.free < at_least:
            granted = await self._turn(at_least)
            return granted and granted + self.take_free(at_most - granted)
        return self.take_free(at_most)

    def take_free(self, at_most: int) -> int:
        """Take what is free up to `at_most` without waiting; 0 while others wait."""
        count = 0 if self._closed or self._waiting else min(max(self.free, 0), at_most)
        self._taken += count
        return count

    def give_back(self, count: int) -> None:
        """Free `count` places; negative when jobs came without one."""
        self._taken -= count
        while self._waiting and self.free >= self._waiting[0].at_least:
            waiter = self._waiting.popleft()
            if not waiter.granted.done():
                self._taken += waiter.at_least
                waiter.granted.set_result(waiter.at_least)

    def close(self) -> None:
        """Let nobody take a place any more: whoever waits gets 0."""
        self._closed = True
        for waiter in self._waiting:
            if not waiter.granted.done():
                waiter.granted.set_result(0)
        self._waiting.clear()

    async def _turn(self, at_least: int) -> int:
        """Wait until `at_least` places have been taken for us; 0 when the slots were closed."""
        waiter = _Waiter(at_least, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.done() and not waiter.granted.cancelled():
                self.give_back(waiter.granted.result())
            if waiter in self._waiting:
                # It may have stood in the way of one that asks for less.
                self._waiting.remove(waiter)
                self.give_back(0)
            raise
