from __future__ import annotations

import asyncio

from worker.waiting import pause, settled


async def test_a_pause_lasts_as_long_as_it_is_meant_to(clock):
    """A pause ends at its time, not before."""
    pausing = asyncio.create_task(pause(asyncio.Event(), clock, 2.0))
    await clock.advance(1.9)
    assert not pausing.done()
    await clock.advance(0.1)
    assert pausing.done()


async def test_stopping_ends_a_pause(clock):
    """Whoever pauses while the worker stops goes on at once, and no sleeper is left."""
    stop = asyncio.Event()
    pausing = asyncio.create_task(pause(stop, clock, 2.0))
    await clock.advance(1.0)
    stop.set()
    await pausing
    assert clock.sleeping_s == []


async def test_no_pause_is_made_after_a_stop(clock):
    """A stop that came first leaves nothing to wait for."""
    stop = asyncio.Event()
    stop.set()
    await pause(stop, clock, 2.0)
    assert clock.sleeping_s == []


async def test_tasks_that_are_done_in_time_leave_nothing(clock):
    """When all tasks are done the wait ends, though there is time left."""
    task = asyncio.create_task(clock.sleep(1.0))
    waiting = asyncio.create_task(settled([task], clock, 2.0))
    await clock.advance(1.0)
    assert await waiting == set()


async def test_tasks_that_take_too_long_are_named_and_go_on(clock):
    """The wait gives the tasks that are not done back, not cancelled."""
    late = asyncio.create_task(clock.sleep(3.0))
    waiting = asyncio.create_task(settled([late], clock, 2.0))
    await clock.advance(2.0)
    assert await waiting == {late}
    await clock.advance(1.0)
    assert late.done()
    assert not late.cancelled()


async def test_no_tasks_are_no_wait(clock):
    """Nothing to wait for ends at once."""
    assert await settled([], clock, 2.0) == set()
