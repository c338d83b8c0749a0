from __future__ import annotations

from devstack.records import KEY_BITS


class KeyGenerator:
    """Hands out a partition's keys: the partition in the upper bits, a counter below."""

    def __init__(self, partition_id: int) -> None:
        self._next = (partition_id << KEY_BITS) + 1

    def next(self) -> int:
        """A key that was never given out before."""
        key = self._next
        self._next += 1
        return key


def partition_of(key: int) -> int:
    """The partition that made `key`."""
    return key >> KEY_BITS
