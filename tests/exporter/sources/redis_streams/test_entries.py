"""Entries of several streams come in the order of the log, whenever they were read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.record import Sieve
from exporter.sources.redis_streams.entries import START, Cut, Entry, Merge, parse_id
from tests.kit.reading import in_order
from tests.kit.user_task_records import record

KINDS = ("INCIDENT", "JOB", "USER_TASK")
SIEVE = Sieve({kind: {"CREATED"} for kind in KINDS})
IDS = st.tuples(st.integers(0, 2**45), st.integers(0, 1000))
CUTS = st.dictionaries(st.sampled_from(KINDS), IDS).map(Cut)


@st.composite
def logs(draw):
    """What an exporter wrote: a stream and an id for each position; batches may come twice."""
    streams = {kind: [] for kind in KINDS}
    time_ms, first = 1000, 1
    for size, repeats in draw(
        st.lists(st.tuples(st.integers(1, 6), st.integers(1, 2)), max_size=8)
    ):
        kinds = [draw(st.sampled_from(KINDS)) for _ in range(size)]
        for _ in range(repeats):
            for position, kind in enumerate(kinds, first):
                time_ms += draw(st.integers(0, 2))
                stream = streams[kind]
                counter = stream[-1][0][1] + 1 if stream and stream[-1][0][0] == time_ms else 0
                stream.append(((time_ms, counter), kind, position))
        first += size
    return streams, first - 1


def entry(at):
    (time_ms, counter), kind, position = at
    raw_id = f"{time_ms}-{counter}".encode()
    return Entry(kind, raw_id, SIEVE.one(record(position, kind, "CREATED")))


def read_all(streams, counts, begin):
    """Read with the given counts, one a turn, in turn; gives positions and the cut of each turn."""
    merge = Merge(KINDS, begin)
    left = {kind: [at for at in streams[kind] if at[0] > begin[kind]] for kind in KINDS}
    turns = 0
    while True:
        count = counts[turns % len(counts)]
        turns += 1
        complete = set()
        for kind in merge.asked(count):
            given, left[kind] = left[kind][:count], left[kind][count:]
            merge.add(kind, [entry(at) for at in given])
            if len(given) < count:
                complete.add(kind)
        taken = merge.take(complete)
        yield [each.record.position for each in taken], merge.taken
        if len(complete) == len(KINDS) and merge.is_empty:
            return


@given(log=logs(), counts=st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_streams_are_merged_into_the_order_of_positions(log, counts):
    """However much is read of each stream at a time, nothing is missed and order holds."""
    streams, last = log
    turns = list(read_all(streams, counts, Cut({})))
    read = [position for positions, _ in turns for position in positions]
    assert in_order(read) == list(range(1, last + 1))


@given(log=logs(), counts=st.lists(st.integers(1, 5), min_size=1, max_size=4), data=st.data())
def test_reading_goes_on_at_any_cut(log, counts, data):
    """What was taken after a turn is a place to go on from, as after a restart."""
    streams, last = log
    turns = list(read_all(streams, counts, Cut({})))
    stop = data.draw(st.integers(0, len(turns)))
    before = [position for positions, _ in turns[:stop] for position in positions]
    cut = turns[stop - 1][1] if stop else Cut({})
    again = read_all(streams, [3], Cut.parse(str(cut)))
    after = [position for positions, _ in again for position in positions]
    assert in_order(before + after) == list(range(1, last + 1))


def test_one_stream_keeps_its_own_order():
    """Without another there is nothing to merge, so repeats stay where they came."""
    merge = Merge(["USER_TASK"], Cut({}))
    merge.add("USER_TASK", [entry(((1, at), "USER_TASK", p)) for at, p in enumerate((5, 6, 5, 6))])
    assert [each.record.position for each in merge.take(())] == [5, 6, 5, 6]
    assert str(merge.taken) == "USER_TASK=1-3"


@given(CUTS)
def test_a_cut_is_the_same_after_it_was_written(cut):
    """A bookmark means after a restart what it meant before."""
    assert Cut.parse(str(cut)) == cut


@given(CUTS, CUTS)
def test_the_lowest_of_cuts_lies_within_each(one, other):
    """Reading begins where nothing is passed over that any lane still needs."""
    lowest = Cut.lowest([one, other], KINDS)
    assert lowest.is_within(one)
    assert lowest.is_within(other)


@pytest.mark.parametrize(
    ("text", "entry_id"), [("5-7", (5, 7)), (b"5-7", (5, 7)), ("5", (5, 0)), ("0-0", START)]
)
def test_ids_are_read_as_redis_writes_them(text, entry_id):
    """Milliseconds and a counter, which may be left out."""
    assert parse_id(text) == entry_id
