"""The account of a stream: what was added, what was given, and what is gone between the two."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.sources.redis_streams.client import GroupState, StreamState
from exporter.sources.redis_streams.entries import START
from exporter.sources.redis_streams.trimming import Backlog, Trimming

NOW_MS = 1_700_000_000_000


class Stream:
    """A stream with one group, as Redis counts."""

    def __init__(self):
        self.entries = []
        self.added = 0
        self.delivered = START

    def add(self, count):
        self.entries += [(self.added + n + 1, 0) for n in range(count)]
        self.added += count

    def trim(self, count):
        """Remove the oldest; gives how many of them were never read."""
        gone, self.entries = self.entries[:count], self.entries[count:]
        return sum(at > self.delivered for at in gone)

    def read(self, count):
        given = [at for at in self.entries if at > self.delivered][:count]
        if given:
            self.delivered = given[-1]
        return len(given)

    @property
    def state(self):
        first = self.entries[0] if self.entries else None
        return StreamState(len(self.entries), self.added, first, None)


MOVES = st.lists(
    st.tuples(st.sampled_from(("add", "trim", "read")), st.integers(0, 6)), max_size=30
)


@given(MOVES)
def test_every_entry_that_was_removed_unread_is_counted_once(moves):
    """Whatever is added, removed and read in between, the losses add up at the end."""
    stream = Stream()
    trimming = Trimming(GroupState(START, None), stream.state)
    unread = counted = 0

    def turn(count):
        state, before = stream.state, stream.delivered
        given = stream.read(count)
        return trimming.lost(state, before, given, complete=given < count)

    for move, count in moves:
        match move:
            case "add":
                stream.add(count)
            case "trim":
                unread += stream.trim(count)
            case _ if count:
                counted += turn(count)
    counted += turn(1000)
    assert counted == unread
    assert trimming.unread == 0


def test_what_was_removed_before_the_group_began_is_not_ours():
    """A relay that is new to a stream has missed nothing."""
    stream = Stream()
    stream.add(10)
    stream.trim(4)
    trimming = Trimming(GroupState(START, None), stream.state)
    assert trimming.lost(stream.state, START, stream.read(100), complete=True) == 0


def test_before_redis_7_nothing_is_claimed():
    """Older servers do not count what was added, so no loss can be told and none is made up."""
    state = StreamState(3, None, (5, 0), None)
    trimming = Trimming(GroupState((1, 0), None), state)
    assert trimming.lost(state, (1, 0), 3, complete=True) == 0


def state_of(length=10, removed=0):
    return StreamState(length, length + removed, (NOW_MS - 60_000, 0), None)


OLD = Backlog(waiting=9, oldest=(NOW_MS - 60_000, 0))


@pytest.mark.parametrize(
    ("removed", "backlog", "warns"),
    [
        (5, OLD, True),
        (0, OLD, False),
        (5, Backlog(waiting=7, oldest=OLD.oldest), False),
        (5, Backlog(waiting=9, oldest=(NOW_MS - 1000, 0)), False),
        (5, Backlog(waiting=0, oldest=None), False),
    ],
    ids=["near", "nothing-removed", "much-is-done", "young", "all-done"],
)
def test_a_warning_needs_trimming_and_an_old_backlog(removed, backlog, warns):
    """Cleaning up behind us, and a short pause of the backend, are no reason to wake anybody."""
    trimming = Trimming(GroupState((1, 0), 10), state_of())
    reason = trimming.warning(state_of(removed=removed), backlog, now_ms=NOW_MS, now_s=0.0)
    assert (reason is not None) == warns


def test_a_warning_is_told_once_as_long_as_it_holds():
    """It is told anew only when it was over in between."""
    trimming = Trimming(GroupState((1, 0), 10), state_of())
    told = []
    for removed, waiting in ((5, 9), (6, 9), (6, 1), (7, 9)):
        state, backlog = state_of(removed=removed), replace(OLD, waiting=waiting)
        told.append(trimming.warning(state, backlog, now_ms=NOW_MS, now_s=0.0) is not None)
    assert told == [True, False, False, True]
