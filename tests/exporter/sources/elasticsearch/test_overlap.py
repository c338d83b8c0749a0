from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exporter.sources.elasticsearch.overlap import Overlap


def test_what_turns_up_is_new_once():
    """A position that was not read is new, and counts as read from then on."""
    overlap = Overlap(0, 60.0)
    for position in (1, 3):
        overlap.add(position, 0.0)
    assert overlap.count == 2
    assert overlap.new({1, 2, 3}, 3) == {2}
    assert overlap.count == 3
    assert overlap.new({1, 2, 3}, 3) == set()


def test_old_positions_are_forgotten():
    """Beyond the span the floor moves up, and with it what a count must give."""
    overlap = Overlap(0, 60.0)
    overlap.add(1, 0.0)
    overlap.add(2, 50.0)
    overlap.add(3, 61.0)
    assert (overlap.floor, overlap.count) == (1, 2)


def test_a_document_in_two_indices_is_counted_twice_for_good():
    """A surplus that is no late document does not lead to another look each time."""
    overlap = Overlap(0, 60.0)
    overlap.add(1, 0.0)
    assert overlap.new({1}, 2) == set()
    assert overlap.count == 2


def test_it_remembers_no_more_than_it_may():
    """A fast log does not make it grow without end."""
    overlap = Overlap(0, 1e9)
    for position in range(1, 30_001):
        overlap.add(position, 0.0)
    assert (overlap.count, overlap.floor) == (20_000, 10_000)


@given(st.sets(st.integers(1, 40)), st.sets(st.integers(1, 40)))
def test_only_what_was_not_read_is_new(read, late):
    """Whatever was read and whatever turns up, the new ones are the difference."""
    overlap = Overlap(0, 60.0)
    for position in sorted(read):
        overlap.add(position, 0.0)
    assert overlap.new(read | late, len(read | late)) == late - read
    assert overlap.count == len(read | late)
