from __future__ import annotations

from collections.abc import Collection

from devstack.records import KEY_BITS

_HALF = 1 << (KEY_BITS - 1)


class KeyGenerator:
    """Hands out a partition's keys: the partition in the upper bits, a counter below.

    Args:
        partition_id: whose keys.
        taken: keys that are somebody else's, of any partition; it begins behind them.
    """

    def __init__(self, partition_id: int, taken: Collection[int] = ()) -> None:
        first = partition_id << KEY_BITS
        # One in the upper half would leave too few keys behind it, and is no real cluster's.
        own = (key for key in taken if first <= key < first + _HALF)
        self._next = max(own, default=first) + 1

    def next(self) -> int:
        """A key that was never given out before."""
        key = self._next
        self._next += 1
        return key


def partition_of(key: int) -> int:
    """The partition that made `key`."""
    return key >> KEY_BITS
