from __future__ import annotations

from bisect import bisect_left
from enum import Enum, auto

from exporter.progress import Progress
from exporter.record import Record

_REMEMBERED = 4096


class Place(Enum):
    """Where a record stands to those that were read before it."""

    NEXT = auto()
    AGAIN = auto()
    """It was read before; sources repeat after an interruption."""
    BACK = auto()
    """It was not, though records behind it were: it is late, or the log was begun anew."""


class Seen:
    """Tells repeats from records that went back, by what was read of a partition.

    Of the last 4096 to 8192 records it knows each position. Before those it goes by the broker's
    time: a record that is younger than the one that stood highest, and has a lower position, cannot
    be a repeat.

    Args:
        progress: Where reading begins.
    """

    def __init__(self, progress: Progress) -> None:
        self.last = progress.position
        self._floor = progress.position
        self._floor_ms = progress.timestamp_ms
        self._positions: list[int] = []
        self._times_ms: list[int] = []

    def place(self, record: Record) -> Place:
        """Where `record` stands; changes nothing."""
        position = record.position
        if position > self.last:
            return Place.NEXT
        if position <= self._floor:
            younger = 0 <= self._floor_ms < record.timestamp
            return Place.BACK if younger else Place.AGAIN
        index = bisect_left(self._positions, position)
        known = index < len(self._positions) and self._positions[index] == position
        return Place.AGAIN if known else Place.BACK

    def add(self, record: Record) -> None:
        """Remember a record that stands next; one that went back changes nothing."""
        if record.position <= self.last:
            return
        self.last = record.position
        self._positions.append(record.position)
        self._times_ms.append(record.timestamp)
        if len(self._positions) >= 2 * _REMEMBERED:
            self._floor = self._positions[_REMEMBERED - 1]
            self._floor_ms = self._times_ms[_REMEMBERED - 1]
            del self._positions[:_REMEMBERED]
            del self._times_ms[:_REMEMBERED]
