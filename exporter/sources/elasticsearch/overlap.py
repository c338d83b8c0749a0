from __future__ import annotations

from collections import deque

_MOST_POSITIONS = 20_000


class Overlap:
    """The positions read in the last `span_s` seconds, to notice one that turns up among them.

    Args:
        begin: Position that reading begins behind.
        span_s: Seconds for which a position is remembered; never more than 20 000 positions.
    """

    def __init__(self, begin: int, span_s: float) -> None:
        self.floor = begin
        """What is remembered lies behind this position."""
        self._span_s = span_s
        self._positions: deque[tuple[float, int]] = deque()
        self._late: set[int] = set()
        self._surplus = 0

    @property
    def count(self) -> int:
        """How many documents a count behind `floor` must give when nothing is new."""
        return len(self._positions) + len(self._late) + self._surplus

    def add(self, position: int, now_s: float) -> None:
        """Remember a position that was read in its order."""
        self._positions.append((now_s, position))
        while self._positions and (
            len(self._positions) > _MOST_POSITIONS or self._positions[0][0] + self._span_s < now_s
        ):
            self.floor = self._positions.popleft()[1]
        if self._late:
            self._late = {late for late in self._late if late > self.floor}

    def new(self, found: set[int], counted: int) -> set[int]:
        """Those of the positions found that were not read; they count as read from now on.

        Args:
            found: Every position behind `floor`.
            counted: What a count gave; more than that when a document is in two indices.
        """
        late = found - {position for _, position in self._positions} - self._late
        self._late |= late
        self._surplus = counted - len(found)
        return late
