from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from exporter.batch import Batch, OpenBatch
from exporter.event import Event
from exporter.waiting import until
from runtime.clock import Clock


class Backlog:
    """What a lane has read and not begun to send: the open batch and closed ones, in order.

    One task puts, one takes. It is bounded: when the open batch is full and there are as many
    closed ones as may be, `put` waits, and so the source is not read.

    Args:
        open_batch: The batch that is filled.
        closed_limit: Closed batches that may wait; 0 closes a batch only when it is taken.
        clock: Time for the age of batches.

    Attributes:
        open: The batch that is filled.
        is_abandoned: Whether the partition was taken away.
    """

    def __init__(self, open_batch: OpenBatch, closed_limit: int, clock: Clock) -> None:
        self.open = open_batch
        self.is_abandoned = False
        self._closed_limit = closed_limit
        self._clock = clock
        self._closed: deque[Batch] = deque()
        self._pressed = False
        self._draining = False
        self._changed = asyncio.Event()
        self._room = asyncio.Event()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return self.open.is_empty and not self._closed

    @property
    def is_over(self) -> bool:
        """Whether it is drained or abandoned and nothing more will be taken."""
        return self._draining and not self._closed and not self._is_ready()

    @property
    def closed(self) -> int:
        """Closed batches that wait."""
        return len(self._closed)

    @property
    def oldest_ms(self) -> int | None:
        """The broker's time of the oldest event that waits."""
        return self._closed[0].events[0].timestamp_ms if self._closed else self.open.oldest_ms

    def fill(self, events: Sequence[Event], begin: int = 0) -> int:
        """Put events in as long as there is room now.

        Args:
            events: The next of the log.
            begin: Index of the first one that is not in.

        Returns:
            Index of the first one that found no room; their number when all did.
        """
        is_new = self.open.is_empty
        end = self.open.extend(events, begin, self._clock)
        while end < len(events) and len(self._closed) < self._closed_limit:
            self._closed.append(self.open.close())
            is_new = True
            end = self.open.extend(events, end, self._clock)
        # The taker is woken for the age of a new batch and for a full one, not for each event.
        if is_new or self.open.is_full:
            self._changed.set()
        return end

    async def put(self, events: Sequence[Event]) -> None:
        """Put events in, each as soon as there is room."""
        begin = self.fill(events)
        while begin < len(events):
            self._pressed = True
            self._changed.set()
            self._room.clear()
            await self._room.wait()
            begin = self.fill(events, begin)
        self._pressed = False

    def take_now(self) -> Batch | None:
        """The next batch if one is ready: closed, full, or old enough."""
        if self._closed:
            batch = self._closed.popleft()
        elif self._is_ready():
            batch = self.open.close()
        else:
            return None
        self._room.set()
        return batch

    async def take(self, within_s: float | None = None) -> Batch | None:
        """The next batch, as soon as one is ready.

        Args:
            within_s: How long to wait; None for ever.

        Returns:
            None when the time is up, or when it is drained.
        """
        until_s = None if within_s is None else self._clock.monotonic_s() + within_s
        while True:
            batch = self.take_now()
            if batch is not None or self._draining:
                return batch
            now_s = self._clock.monotonic_s()
            moments = [at for at in (until_s, self.open.due_at_s) if at is not None]
            if until_s is not None and now_s >= until_s:
                return None
            self._changed.clear()
            await until(self._changed, min(moments) - now_s if moments else None, self._clock)

    def drain(self) -> None:
        """No more is put: what is there is ready at once, but for a batch that is not whole."""
        self._draining = True
        self._changed.set()

    def abandon(self) -> None:
        """No more is put, and what is there is forgotten: somebody else makes it anew."""
        self.is_abandoned = True
        self._closed.clear()
        self.drain()

    def _is_ready(self) -> bool:
        if self.open.is_empty or self.is_abandoned:
            return False
        if self.open.is_full or self._pressed:
            return True
        due_at_s = self.open.due_at_s
        if due_at_s is None:  # it must be made whole again first
            return False
        return self._draining or self._clock.monotonic_s() >= due_at_s
