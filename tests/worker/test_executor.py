from __future__ import annotations

import asyncio
import re
import time

import pytest
from structlog.testing import capture_logs

from tests.kit.gateway import ScriptedGateway
from tests.kit.waiting import eventually
from tests.kit.worker import Held, running
from worker.executor import OVERDUE_CHECK_S
from worker.observer import Ending
from worker.outcome import Complete


async def test_a_handler_that_raises_fails_its_job_with_one_retry_used(gateway):
    """A fault of the handler names its type only: its text, which may hold values, goes nowhere."""

    async def handler(job):
        raise ValueError("canary")

    keys = gateway.add_jobs(1, retries=2)
    with capture_logs() as logs:
        async with running(gateway, handler) as run:
            await gateway.until_ended(keys)
    messages = [request.errorMessage for request in gateway.requests("FailJob")]
    assert [request.retries for request in gateway.requests("FailJob")] == [1, 0]
    assert all("ValueError" in message and "canary" not in message for message in messages)
    assert run.seen.endings == {Ending.FAILED: 2}
    assert "canary" not in str(logs)


async def test_the_log_says_where_a_handler_raised(gateway):
    """File and line of the fault are logged, beside the job's own fields."""

    async def handler(job):
        raise ZeroDivisionError

    keys = gateway.add_jobs(1, retries=1)
    with capture_logs() as logs:
        async with running(gateway, handler):
            await gateway.until_ended(keys)
    [log] = [log for log in logs if log["event"] == "handler_raised"]
    assert re.search(r"test_executor\.py:\d+$", log["at"])
    assert (log["error"], log["job_key"]) == ("ZeroDivisionError", keys[0])


async def test_a_handler_that_ends_as_cancelled_by_itself_is_a_fault(gateway):
    """A handler that lets an inner cancellation out loses neither its job nor its slot."""

    async def handler(job):
        inner = asyncio.get_running_loop().create_future()
        inner.cancel()
        await inner

    keys = gateway.add_jobs(3, retries=1)
    async with running(gateway, handler, max_jobs_active=1) as run:
        await gateway.until_ended(keys)
    assert run.seen.endings == {Ending.FAILED: 3}
    assert "CancelledError" in gateway.requests("FailJob")[0].errorMessage


async def test_a_job_whose_deadline_has_passed_is_not_handled(clock):
    """A job that is overdue when it comes is another worker's already: no handler, no command."""
    async with ScriptedGateway(job_timeout_ms=-60_000) as gateway:
        gateway.add_jobs(3)
        held = Held()
        with capture_logs() as logs:
            async with running(gateway, held, clock=clock) as run:
                await eventually(lambda: run.seen.endings[Ending.OVERDUE] == 3)
                assert held.seen == []
    late_ms = [log["late_ms"] for log in logs if log["event"] == "job_overdue"]
    assert late_ms == [60_000] * 3
    assert {call.method for call in gateway.received} == {"ActivateJobs"}


async def test_a_handler_that_overruns_its_jobs_deadline_is_cancelled(gateway, clock):
    """At its deadline a job is another worker's: its handler ends and its slot is free again."""
    held = Held()
    gateway.add_jobs(1)
    options = {"job_timeout_ms": 100, "max_jobs_active": 1}
    async with running(gateway, held, clock=clock, **options) as run:
        await eventually(lambda: held.jobs)
        await clock.advance(OVERDUE_CHECK_S)
        await eventually(lambda: run.seen.endings)
        assert run.seen.endings == {Ending.OVERDUE: 1}
        assert held.jobs == {}
        gateway.add_jobs(1)
        await eventually(lambda: held.jobs)
        held.release()
        await gateway.until_called("CompleteJob")


async def test_an_extended_job_is_not_cancelled_at_its_first_deadline(gateway, clock):
    """A handler that asked for more time keeps its job; one that did not loses its own."""
    held = Held()
    extended, other = gateway.add_jobs(2)

    async def handler(job):
        if job.key == extended:
            await run.client.update_job_timeout(job, 60_000)
        return await held(job)

    async with running(gateway, handler, job_timeout_ms=100, clock=clock) as run:
        await eventually(lambda: len(held.jobs) == 2)
        await clock.advance(OVERDUE_CHECK_S)
        await eventually(lambda: run.seen.endings)
        assert list(held.jobs) == [extended]
        held.release()
        await gateway.until_ended([extended])
    assert run.seen.endings == {Ending.OVERDUE: 1, Ending.COMPLETED: 1}
    assert other in gateway.held
    assert run.client.deadlines.of(held.seen[0]) == held.seen[0].deadline_ms


async def test_an_outcome_that_comes_in_spite_of_the_cancellation_is_sent(gateway, clock):
    """A handler that has its result when it is cancelled may still give it."""
    begun = asyncio.Event()

    async def handler(job):
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            return Complete(b'{"late": true}')

    keys = gateway.add_jobs(1)
    async with running(gateway, handler, job_timeout_ms=100, clock=clock) as run:
        await begun.wait()
        await clock.advance(OVERDUE_CHECK_S)
        # The engine gives no job to anybody else here, so that the late answer is taken.
        await eventually(lambda: run.seen.endings)
    assert list(gateway.ended) == keys
    assert run.seen.endings == {Ending.COMPLETED: 1}


async def test_handlers_run_side_by_side(gateway):
    """A slow job holds up no other."""
    held = Held()
    slow = gateway.add_jobs(1)

    async def handler(job):
        return await held(job) if job.key in slow else Complete()

    async with running(gateway, handler):
        await eventually(lambda: held.jobs)
        await gateway.until_ended(gateway.add_jobs(200))
        assert list(held.jobs) == slow
        held.release()


async def test_each_job_ends_once_with_its_duration(gateway):
    """The observer sees every job come and go, and none in hand afterwards."""
    began_s = time.monotonic()
    held = Held()
    gateway.add_jobs(4)
    async with running(gateway, held) as run:
        await eventually(lambda: len(held.jobs) == 4)
        assert run.seen.in_hand[-1] == 4
        held.release()
        await eventually(lambda: run.worker.jobs_in_hand == 0)
    assert run.seen.in_hand[-1] == 0
    assert len(run.seen.durations_s) == 4
    assert all(0 < duration_s < time.monotonic() - began_s for duration_s in run.seen.durations_s)


@pytest.mark.parametrize("count", [1, 300])
async def test_no_task_is_left_behind(gateway, count):
    """After a run there are as many tasks as before it."""
    before = len(asyncio.all_tasks())
    keys = gateway.add_jobs(count)

    async def handler(job):
        return Complete()

    async with running(gateway, handler) as run:
        await gateway.until_ended(keys)
        await run.stopped()
        own = [task for task in asyncio.all_tasks() if "worker/" in str(task.get_coro())]
    assert own == []
    await eventually(lambda: len(asyncio.all_tasks()) <= before)
