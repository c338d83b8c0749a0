"""Keys: the partition above, a counter below."""

from __future__ import annotations

import pytest

from devstack.engine.keys import KeyGenerator, partition_of

FIRST = 1 << 51


@pytest.mark.parametrize(
    ("partition", "taken", "first"),
    [
        (1, [], FIRST + 1),
        (1, [7, FIRST + 10, FIRST + 3], FIRST + 11),
        (2, [FIRST + 10], 2 * FIRST + 1),
        (1, [2 * FIRST - 1], FIRST + 1),
    ],
    ids=["none", "own", "another's", "last"],
)
def test_keys_begin_behind_those_that_are_taken(partition, taken, first):
    """Only its own partition's count, and one at the very end takes no keys away."""
    keys = KeyGenerator(partition, taken)
    assert [keys.next(), keys.next()] == [first, first + 1]
    assert partition_of(first) == partition
