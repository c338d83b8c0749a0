from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from exporter.progress import Progress
from exporter.record import Record
from exporter.seen import Place, Seen


def at(position: int, timestamp: int = 0) -> Record:
    return Record(position, 1, 1, "USER_TASK", "CREATED", msgspec.Raw(b"{}"), timestamp)


def test_a_repeat_is_known_by_its_position():
    """A position that was read is a repeat, one in between that was not went back."""
    seen = Seen(Progress())
    for position in (2, 4, 6):
        assert seen.place(at(position)) is Place.NEXT
        seen.add(at(position))
    assert seen.place(at(4)) is Place.AGAIN
    assert seen.place(at(5)) is Place.BACK
    assert seen.place(at(7)) is Place.NEXT


def test_after_a_restart_the_brokers_time_decides():
    """A lower position is a repeat, unless it is younger than what stood highest: a new cluster."""
    seen = Seen(Progress(100, "", None, timestamp_ms=5000))
    assert seen.place(at(90, 4000)) is Place.AGAIN
    assert seen.place(at(100, 5000)) is Place.AGAIN
    assert seen.place(at(1, 6000)) is Place.BACK


def test_where_the_user_said_to_begin_older_records_are_left_out():
    """Before a position that the user chose, everything counts as done."""
    assert Seen(Progress(100)).place(at(50, 10**12)) is Place.AGAIN


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=50, unique=True))
def test_rising_positions_are_all_new_and_then_all_known(positions):
    """In order each position is next once, and a repeat for ever after."""
    seen = Seen(Progress())
    for position in sorted(positions):
        assert seen.place(at(position)) is Place.NEXT
        seen.add(at(position))
    assert all(seen.place(at(position)) is Place.AGAIN for position in positions)


def test_memory_is_bounded_and_repeats_stay_repeats():
    """After very many records, the oldest are still told to be repeats, by their time."""
    seen = Seen(Progress())
    for position in range(1, 50_001):
        seen.add(at(position, position))
    assert len(seen._positions) < 10_000
    assert seen.place(at(1, 1)) is Place.AGAIN
    assert seen.place(at(49_999, 49_999)) is Place.AGAIN
    assert seen.place(at(1, 60_000)) is Place.BACK
