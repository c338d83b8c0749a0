from __future__ import annotations

import asyncio

from exporter.backlog import Backlog
from exporter.batch import Limits, OpenBatch
from exporter.event import Event, Selection
from exporter.progress import Bounds, Progress


def event(position: int) -> Event:
    return Event(position, 1000 * position, b"{}")


def backlog(clock, *, count=2, closed=1, progress=None) -> Backlog:
    limits = Limits(count=count, age_s=2.0)
    return Backlog(OpenBatch(1, limits, Selection(), progress or Progress()), closed, clock)


async def test_a_full_backlog_holds_up_whoever_puts(clock):
    """With the open batch and all closed ones full, `put` waits until one is taken."""
    held = backlog(clock)
    events = [event(n) for n in range(1, 6)]
    assert held.fill(events) == 4
    putting = asyncio.create_task(held.put(events[4:]))
    await clock.advance(100.0)
    assert not putting.done()
    assert (await held.take()).idempotency_key == "1-1-2"
    await putting
    assert (await held.take()).idempotency_key == "1-3-4"


async def test_without_room_for_closed_batches_one_at_a_time_goes_through(clock):
    """With one batch in flight, the open batch is closed only when it is taken."""
    held = backlog(clock, closed=0)
    assert held.fill([event(1), event(2), event(3)]) == 2
    assert (await held.take()).idempotency_key == "1-1-2"
    assert held.fill([event(3)]) == 1


async def test_a_batch_is_ready_at_its_age(clock):
    """A taker waits for the age of the first event, however long it has waited before."""
    held = backlog(clock, count=10)
    taking = asyncio.create_task(held.take())
    await clock.advance(50.0)
    held.fill([event(1)])
    await clock.advance(1.0)
    held.fill([event(2)])
    await clock.advance(0.9)
    assert not taking.done()
    await clock.advance(0.1)
    assert (await taking).idempotency_key == "1-1-2"


async def test_a_taker_may_wait_for_so_long_only(clock):
    """Nothing to take is told after the time that was given."""
    taking = asyncio.create_task(backlog(clock).take(1.0))
    await clock.advance(0.9)
    assert not taking.done()
    await clock.advance(0.1)
    assert await taking is None


async def test_a_drain_hands_out_what_is_there(clock):
    """At the stop the open batch is ready at once; then the backlog is over."""
    held = backlog(clock, count=10)
    held.fill([event(1)])
    held.drain()
    assert not held.is_over
    assert (await held.take()).idempotency_key == "1-1-1"
    assert held.is_over
    assert await held.take() is None


async def test_a_drain_leaves_a_batch_that_is_not_whole(clock):
    """A begun batch whose rest was not read is not sent in another shape."""
    begun = Progress(0, "", Bounds(1, 3, 3, Selection().text))
    held = backlog(clock, progress=begun)
    held.fill([event(1)])
    held.drain()
    assert await held.take() is None
    assert held.is_over


async def test_what_is_abandoned_is_forgotten(clock):
    """When the partition is taken away nothing more of it is handed out."""
    held = backlog(clock)
    held.fill([event(n) for n in range(1, 5)])
    held.abandon()
    assert await held.take() is None
    assert held.is_over


async def test_the_oldest_event_is_known(clock):
    """The lag is that of the first event that waits, closed or open."""
    held = backlog(clock)
    assert held.oldest_ms is None
    held.fill([event(n) for n in (1, 2, 3)])
    assert held.oldest_ms == 1000
    await held.take()
    assert held.oldest_ms == 3000
