from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

_FEW = 1000


class Alarm:
    """Something to do at a moment; cancelling it costs nothing."""

    __slots__ = ("_action", "_schedule", "due_ms")

    def __init__(self, due_ms: int, action: Callable[[], None], schedule: Schedule) -> None:
        self.due_ms = due_ms
        self._action: Callable[[], None] | None = action
        self._schedule = schedule

    def cancel(self) -> None:
        """Never ring; more than once is fine."""
        if self._action is not None:
            self._action = None
            self._schedule.note_cancelled()

    def ring(self) -> None:
        """Do it, unless cancelled or done before."""
        action, self._action = self._action, None
        if action is not None:
            action()

    @property
    def is_set(self) -> bool:
        """Whether it will ring."""
        return self._action is not None


class Schedule:
    """What is to be done when, nearest first; equal moments ring in the order they were set."""

    def __init__(self, on_earlier: Callable[[], None]) -> None:
        self._heap: list[tuple[int, int, Alarm]] = []
        self._order = count()
        self._cancelled = 0
        self._on_earlier = on_earlier

    def at(self, due_ms: int, action: Callable[[], None]) -> Alarm:
        """Do `action` at `due_ms`; tells the sleeper when nothing else is due before."""
        alarm = Alarm(due_ms, action, self)
        entry = (due_ms, next(self._order), alarm)
        heapq.heappush(self._heap, entry)
        if self._heap[0] is entry:
            self._on_earlier()
        return alarm

    @property
    def next_due_ms(self) -> int | None:
        """The nearest moment at which something is to be done."""
        while self._heap and not self._heap[0][2].is_set:
            heapq.heappop(self._heap)
            self._cancelled -= 1
        return self._heap[0][0] if self._heap else None

    def ring_next(self, now_ms: int) -> bool:
        """Do the nearest thing that is due; False when there is none."""
        due_ms = self.next_due_ms
        if due_ms is None or due_ms > now_ms:
            return False
        heapq.heappop(self._heap)[2].ring()
        return True

    def note_cancelled(self) -> None:
        """Drop cancelled alarms once they are most of the heap, so that they cost no memory."""
        self._cancelled += 1
        if self._cancelled > _FEW and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].is_set]
            heapq.heapify(self._heap)
            self._cancelled = 0
