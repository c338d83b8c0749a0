from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from exporter.batch import Limits, OpenBatch
from exporter.event import Event, Selection
from exporter.progress import Bounds, Progress
from tests.kit.clock import FakeClock

SELECTION = Selection()


def event(position: int, size: int = 10) -> Event:
    return Event(position, 1000 + position, b'"%b"' % (b"x" * (size - 2)))


def batch_of(limits: Limits, progress: Progress | None = None) -> OpenBatch:
    return OpenBatch(1, limits, SELECTION, progress or Progress())


def cut(open_batch: OpenBatch, events) -> list:
    """The batches that events are cut into when nothing ages."""
    batches, begin = [], 0
    while begin < len(events):
        end = open_batch.extend(events, begin, FakeClock())
        assert end > begin
        batches.append(open_batch.close())
        begin = end
    return batches


def test_a_batch_is_upstreams_request():
    """The body is one object with the events in their order, and nothing else."""
    (batch,) = cut(batch_of(Limits()), [event(3), event(5)])
    assert batch.body == b'{"events":["xxxxxxxx","xxxxxxxx"]}'
    assert batch.idempotency_key == "1-3-5"
    assert batch.progress == Progress(5, "", None, 1005)


async def test_a_batch_ages_from_its_first_event(clock):
    """The age counts from the first event, not from the flush before, as upstream's does."""
    open_batch = batch_of(Limits(age_s=2.0))
    assert open_batch.due_at_s is None
    await clock.advance(100.0)
    open_batch.extend([event(1)], 0, clock)
    await clock.advance(1.0)
    open_batch.extend([event(2)], 0, clock)
    assert open_batch.due_at_s == 102.0


def test_a_batch_keeps_within_its_size():
    """An event that would make the request too large opens the next batch."""
    batches = cut(batch_of(Limits(count=100, size_bytes=60)), [event(n, 20) for n in range(1, 6)])
    assert [len(batch.events) for batch in batches] == [2, 2, 1]
    assert all(len(batch.body) <= 60 for batch in batches)


def test_an_event_that_is_too_large_goes_alone():
    """Nothing is left out for its size."""
    batches = cut(batch_of(Limits(size_bytes=60)), [event(1), event(2, 500), event(3)])
    assert [batch.idempotency_key for batch in batches] == ["1-1-1", "1-2-2", "1-3-3"]


def test_a_batch_that_was_begun_is_made_again_at_its_bounds():
    """After a restart the batch whose sending had begun has the same events, limits or not."""
    progress = Progress(0, "", Bounds(1, 7, 4, SELECTION.text))
    batches = cut(batch_of(Limits(count=2), progress), [event(n) for n in (1, 3, 5, 7, 8, 9, 10)])
    assert [batch.idempotency_key for batch in batches] == ["1-1-7", "1-8-9", "1-10-10"]


def test_a_begun_batch_is_not_due_until_it_is_whole(clock):
    """It is not sent for its age while some of it is still to be read."""
    open_batch = batch_of(Limits(), Progress(0, "", Bounds(1, 3, 2, SELECTION.text)))
    open_batch.extend([event(1)], 0, clock)
    assert (open_batch.due_at_s, open_batch.is_full) == (None, False)
    open_batch.extend([event(3)], 0, clock)
    assert open_batch.is_full


def test_a_begun_batch_that_is_gone_is_forgotten():
    """When the source has nothing of it any more, the limits hold again."""
    open_batch = batch_of(Limits(count=2), Progress(0, "", Bounds(1, 3, 2, SELECTION.text)))
    assert [
        batch.idempotency_key for batch in cut(open_batch, [event(8), event(9), event(10)])
    ] == [
        "1-8-9",
        "1-10-10",
    ]


def test_a_begun_batch_is_made_of_what_was_asked_for_then():
    """Settings that changed in between do not change a batch that was begun."""
    before = Selection(("USER_TASK", "JOB"), metadata=True)
    open_batch = batch_of(Limits(), Progress(0, "", Bounds(1, 7, 4, before.text)))
    assert open_batch.selection(7) == before
    assert open_batch.selection(8) == SELECTION


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(2, 80)), min_size=1, max_size=60),
    st.integers(1, 10),
    st.integers(20, 200),
)
def test_batches_are_the_events_in_order(steps, count, size_bytes):
    """Cut however small, the batches hold every event once and in order, within the limits."""
    position, events = 0, []
    for step, size in steps:
        position += step
        events.append(event(position, size))
    batches = cut(batch_of(Limits(count=count, size_bytes=size_bytes)), events)
    assert [item for batch in batches for item in batch.events] == events
    assert all(len(batch.events) <= count for batch in batches)
    assert all(len(batch.events) == 1 or len(batch.body) <= size_bytes for batch in batches)
    assert all(len(orjson.loads(batch.body)["events"]) == len(batch.events) for batch in batches)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 7), st.integers(1, 7))
def test_a_restart_repeats_the_key(total, begun_at, count, count_after):
    """Whatever the limits are after a restart, the batch that was begun has the key that it had."""
    events = [event(position) for position in range(1, total + 1)]
    before = cut(batch_of(Limits(count=count)), events)
    begun = before[min(begun_at, len(before)) - 1]
    progress = Progress(begun.events[0].position - 1, "", begun.bounds)
    rest = [item for item in events if item.position > progress.position]
    after = cut(batch_of(Limits(count=count_after), progress), rest)
    assert after[0].idempotency_key == begun.idempotency_key
    assert after[0].body == begun.body
