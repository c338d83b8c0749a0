from __future__ import annotations

from collections import deque

NOTHING_YET = -1


class Horizon:
    """How far a partition may be read: to what was visible `lag_s` seconds ago.

    The age counts from when we saw a position, not from the record's own time, which says nothing
    about when it became visible, and is of another clock.

    Args:
        lag_s: Seconds that a position must have been visible.
    """

    def __init__(self, lag_s: float) -> None:
        self._lag_s = lag_s
        self._sights: deque[tuple[float, int]] = deque()
        self._safe = NOTHING_YET

    def see(self, position: int, now_s: float) -> None:
        """Note the largest position that is visible now."""
        newest = self._sights[-1][1] if self._sights else self._safe
        if position > newest:
            self._sights.append((now_s, position))

    def safe(self, now_s: float) -> int:
        """The position that may be read up to, `NOTHING_YET` when there is none."""
        while self._sights and self._sights[0][0] + self._lag_s <= now_s:
            self._safe = self._sights.popleft()[1]
        return self._safe

    def due_s(self, now_s: float) -> float | None:
        """Seconds until more may be read; None when nothing more was seen."""
        return max(0.0, self._sights[0][0] + self._lag_s - now_s) if self._sights else None
