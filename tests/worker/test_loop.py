from __future__ import annotations

import asyncio
import time

import grpc
import pytest
from structlog.testing import capture_logs

from tests.kit.clock import NotingClock
from tests.kit.gateway import ScriptedGateway
from tests.kit.waiting import PATIENCE_S, eventually
from tests.kit.worker import Held, complete, running
from worker.executor import HAND_BACK_S
from worker.gateway import Gateway
from worker.loop import Worker
from worker.observer import Ending
from worker.options import WorkerOptions
from worker.outcome import Complete
from worker.streamer import _QUIET_S

GRACE_S = 0.05
"""What the kit's workers give an open poll when they stop."""

GENEROUS_MS = round(PATIENCE_S * 1000)


async def test_jobs_in_hand_are_finished_after_a_stop(gateway):
    """A stop lets running handlers end and delivers what they say."""
    held = Held()
    keys = gateway.add_jobs(5)
    async with running(gateway, held) as run:
        await eventually(lambda: len(held.jobs) == 5)
        run.stop.set()
        await eventually(lambda: not gateway.polls_open())
        assert not run.task.done()
        held.release()
        await run.stopped()
    assert set(gateway.ended) == set(keys)
    assert run.seen.endings == {Ending.COMPLETED: 5}


async def test_no_poll_begins_after_a_stop(gateway):
    """With a backlog and jobs in hand, a stop ends the fetching at once."""
    held = Held()
    gateway.add_jobs(100)
    async with running(gateway, held, max_jobs_active=10) as run:
        await eventually(lambda: len(held.jobs) == 10)
        polls = len(gateway.calls("ActivateJobs"))
        run.stop.set()
        await asyncio.sleep(0)
        held.release()
        await run.stopped()
    assert len(gateway.calls("ActivateJobs")) == polls
    assert len(gateway.ended) == 10


async def test_jobs_that_do_not_finish_in_time_are_handed_back_with_their_retries(gateway, clock):
    """At the drain deadline a handler is cancelled, and another worker gets its job at once."""
    held = Held()
    keys = gateway.add_jobs(5, retries=2)
    async with running(gateway, held, drain_s=0.1, clock=clock) as run:
        await eventually(lambda: len(held.jobs) == 5 and gateway.polls_open())
        run.stop.set()
        await run.waits(GRACE_S)
        await clock.advance(GRACE_S)
        await run.waits(0.1 - GRACE_S)
        await clock.advance(0.099 - GRACE_S)
        assert len(held.jobs) == 5
        await clock.advance(0.001)
        await run.task
    requests = gateway.requests("FailJob")
    assert {request.retries for request in requests} == {2}
    assert all("stopping" in request.errorMessage for request in requests)
    assert {request.retryBackOff for request in requests} == {0}
    assert [job.key for job in gateway.waiting] == keys
    assert gateway.held == {}
    assert run.seen.endings == {Ending.HANDED_BACK: 5}
    assert held.jobs == {}


async def test_a_drain_of_no_time_loses_no_job(gateway, clock):
    """Jobs that have only just come in when the worker stops are handed back as well."""
    gateway.add_jobs(300)
    async with running(gateway, Held(), drain_s=0, max_jobs_active=100, clock=clock) as run:
        await eventually(lambda: run.seen.activated)
        run.stop.set()
        # All slots are taken and no poll is open, so that nothing is waited for.
        await run.task
    assert gateway.held == {}
    assert len(gateway.waiting) == 300


async def test_an_idle_worker_stops_after_its_grace(gateway, clock):
    """A poll that brings nothing holds a stop up for `stop_grace_ms` and no longer."""
    options = {"stop_grace_ms": 100, "long_poll_ms": 3_600_000}
    async with running(gateway, complete, clock=clock, **options) as run:
        await gateway.until_called("ActivateJobs", times=2)
        run.stop.set()
        await run.waits(0.1)
        assert not run.task.done()
        await clock.advance(0.1)
        await run.task
    await eventually(lambda: not gateway.polls_open())


async def test_jobs_of_a_poll_that_answers_after_the_stop_are_handed_back(gateway):
    """An answer that is on its way when the worker stops is not lost: its jobs go back at once."""
    async with running(gateway, complete, stop_grace_ms=GENEROUS_MS) as run:
        await eventually(lambda: run.worker.problem is None and gateway.polls_open())
        run.stop.set()
        # The worker knows of the stop before the job comes up.
        await eventually(run.worker._stopping.is_set)
        keys = gateway.add_jobs(3, retries=2)
        await run.stopped()
    assert [job.key for job in gateway.waiting] == keys
    assert {request.retries for request in gateway.requests("FailJob")} == {2}
    assert gateway.held == {}
    assert run.seen.endings == {Ending.HANDED_BACK: 3}


async def test_no_job_is_left_to_its_time_out_by_a_stop_under_load():
    """Twenty stops in the middle of a backlog leave nothing held: all is done or handed back."""

    class Busy(ScriptedGateway):
        added = 0

        def _give(self, request, at_most):
            if len(self.waiting) < 200:
                self.added += len(self.add_jobs(500))
            return super()._give(request, at_most)

    async with Busy() as gateway:
        # With a backlog each poll is answered, however long it takes.
        options = {"max_jobs_active": 40, "stop_grace_ms": GENEROUS_MS, "drain_s": PATIENCE_S}
        for _ in range(20):
            async with running(gateway, complete, **options) as run:
                await eventually(lambda run=run: len(run.seen.activated) > 2)
                await run.stopped()
            assert gateway.held == {}
        assert len(gateway.ended) + len(gateway.waiting) == gateway.added


async def test_pushed_jobs_that_nobody_has_read_are_handed_back(gateway, clock):
    """What a stream had brought while the worker was full goes back when the worker stops."""
    held = Held()
    gateway.script.fail("ActivateJobs", grpc.StatusCode.UNAVAILABLE, times=float("inf"))
    options = {"stream_enabled": True, "max_jobs_active": 2, "stop_grace_ms": 1000}
    async with running(gateway, held, drain_s=0, clock=clock, **options) as run:
        keys = gateway.add_jobs(10)
        await eventually(lambda: len(held.jobs) == 2 and not gateway.waiting)
        assert len(gateway.held) == 10
        run.stop.set()
        # All is read while the clock stands still; then the stream is quiet for long enough.
        await eventually(lambda: len(run.worker._late) == 8)
        await clock.advance(_QUIET_S)
        await run.task
    assert gateway.held == {}
    assert sorted(job.key for job in gateway.waiting) == keys
    assert run.seen.endings == {Ending.HANDED_BACK: 10}


async def test_a_stream_that_never_falls_silent_does_not_hold_up_a_stop(clock):
    """A gateway that pushes on and on is cut off after the grace."""

    class Endless(ScriptedGateway):
        async def StreamActivatedJobs(self, request, context):  # noqa: N802 - the protocol's name
            await self._enter("StreamActivatedJobs", request, context)
            while True:
                self.add_jobs(1)
                for job in self._give(request, 1):
                    yield job
                await asyncio.sleep(0.001)

    async with Endless() as gateway:
        options = {"stream_enabled": True, "max_jobs_active": 2, "stop_grace_ms": 200}
        async with running(gateway, complete, clock=clock, **options) as run:
            await eventually(lambda: run.seen.endings[Ending.COMPLETED] > 10)
            run.stop.set()
            await run.waits(0.2)
            taken = len(run.worker._late)
            await eventually(lambda: len(run.worker._late) > taken + 10)
            assert not run.task.done()
            await clock.advance(0.2)
            await run.task


async def test_a_stop_while_the_gateway_is_away_is_prompt(gateway, clock):
    """A worker with nothing in hand that waits to ask again stops without any time passing."""
    await gateway.stop()
    async with running(gateway, complete, clock=clock) as run:
        await eventually(lambda: run.seen.poll_failures)
        await eventually(lambda: len(clock.sleeping_s) == 2)
        run.stop.set()
        await run.task


async def test_a_stop_while_credentials_hang_is_prompt(gateway, clock):
    """A token endpoint that does not answer holds up a stop for the grace, and no longer."""

    class Hanging:
        asked = False

        async def metadata(self):
            self.asked = True
            return await asyncio.get_running_loop().create_future()

        def rejected(self, metadata):
            pytest.fail(f"{len(metadata)} fields were refused that nobody sent")

    credentials = Hanging()
    connection = {"credentials": credentials}
    async with running(gateway, complete, connection=connection, clock=clock) as run:
        await eventually(lambda: credentials.asked)
        run.stop.set()
        await run.waits(GRACE_S)
        await clock.advance(GRACE_S)
        await run.task


async def test_outcomes_that_find_no_gateway_hold_a_stop_up_for_the_drain_only(gateway, clock):
    """With the gateway away a stop ends after drain and hand-back, and the log counts the rest."""
    held = Held()
    gateway.add_jobs(3)
    with capture_logs() as logs:
        async with running(gateway, held, drain_s=0.1, clock=clock) as run:
            await eventually(lambda: len(held.jobs) == 3)
            await gateway.stop()
            await eventually(lambda: run.seen.poll_failures)
            run.stop.set()
            for wait_s in (0.1, HAND_BACK_S):
                await run.waits(wait_s)
                assert not run.task.done()
                await clock.advance(wait_s)
            await run.task
    assert [log["count"] for log in logs if log["event"] == "jobs_left_to_their_timeout"] == [3]


async def test_a_stop_before_the_start_begins_nothing(gateway):
    """A worker that is told to stop at once returns at once."""
    async with Gateway(gateway.address) as client:
        stop = asyncio.Event()
        stop.set()
        worker = Worker(client, WorkerOptions("demo", "tested", stop_grace_ms=0), complete)
        async with asyncio.timeout(PATIENCE_S):
            await worker.run(stop, 1)
    assert gateway.held == {}


async def test_a_worker_runs_once(gateway):
    """A second run is refused."""
    async with running(gateway, complete) as run:
        await run.stopped()
        with pytest.raises(RuntimeError, match="runs once"):
            await run.worker.run(asyncio.Event(), 1)


async def test_cancelling_the_run_ends_it_at_once(gateway):
    """Who cancels `run` gets no drain: handlers end, nothing is sent, no task is left."""
    held = Held()
    gateway.add_jobs(3)
    async with Gateway(gateway.address) as client:
        worker = Worker(client, WorkerOptions("demo", "tested"), held)
        task = asyncio.create_task(worker.run(asyncio.Event(), 5))
        await eventually(lambda: len(held.jobs) == 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert held.jobs == {}
        assert worker.jobs_in_hand == 0
        await eventually(lambda: not gateway.polls_open())
    assert {call.method for call in gateway.received} == {"ActivateJobs"}


def readers():
    """Tasks of their own that read a stream."""
    return [task for task in asyncio.all_tasks() if task.get_coro().__qualname__ == "JobCall.read"]


async def test_cancelling_a_stop_leaves_no_stream_that_is_read(gateway, clock):
    """A stream that is read out after the stop is over with the run."""
    stop = asyncio.Event()
    async with Gateway(gateway.address) as client:
        options = WorkerOptions("demo", "tested", max_jobs_active=2, stream_enabled=True)
        worker = Worker(client, options, Held(), clock=clock)
        task = asyncio.create_task(worker.run(stop, 5))
        await eventually(lambda: gateway.open_calls["StreamActivatedJobs"] == 1)
        # A full worker does not read its stream; the stop lets it see what was pushed meanwhile.
        gateway.add_jobs(2)
        await eventually(lambda: worker.jobs_in_hand == 2)
        stop.set()
        await eventually(lambda: len(readers()) == 1)
        task.cancel()
        await asyncio.wait([task])
        await eventually(lambda: not readers())


async def test_a_fault_of_our_own_ends_the_run_after_a_drain(gateway):
    """A bug in the fetching shows: jobs in hand are finished, then `run` raises it."""

    class Broken:
        calls = 0

        async def metadata(self):
            self.calls += 1
            # Not what CallCredentials allows: gRPC itself chokes on it.
            return () if self.calls == 1 else 5

        def rejected(self, metadata):
            pytest.fail(f"{len(metadata)} fields were refused that nobody sent")

    held = Held()
    gateway.add_jobs(1)
    credentials = Broken()
    async with Gateway(gateway.address, credentials=credentials) as client:
        worker = Worker(client, WorkerOptions("demo", "tested", stop_grace_ms=0), held)
        task = asyncio.create_task(worker.run(asyncio.Event(), 5))
        await eventually(lambda: credentials.calls == 2)
        assert not task.done()
        credentials.calls = 0
        held.release()
        with pytest.raises(TypeError):
            await task
    assert len(gateway.ended) == 1


async def test_two_workers_share_one_gateway(gateway):
    """Several job types are worked on over one channel."""
    async with Gateway(gateway.address) as client:
        stop = asyncio.Event()
        workers = [
            Worker(client, WorkerOptions(name, "tested", stop_grace_ms=10), complete)
            for name in ("one", "two")
        ]
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker.run(stop, 1))
            await eventually(lambda: all(worker.problem is None for worker in workers))
            stop.set()
    assert {request.type for request in gateway.requests("ActivateJobs")} == {"one", "two"}


@pytest.mark.slow
async def test_work_resumes_within_five_seconds_of_the_gateways_return(gateway):
    """However long the outage, no wait is longer than 2 s, and gRPC connects within the others.

    Waits that went on doubling would be as long again as the outage was.
    """
    clock = NotingClock()
    async with running(gateway, complete, clock=clock) as run:
        await eventually(lambda: run.worker.problem is None)
        gone_s = time.monotonic()
        await gateway.stop()
        await eventually(lambda: len(run.seen.poll_failures) >= 10)
        assert "UNAVAILABLE" in str(run.worker.problem)
        await gateway.start()
        back_s = time.monotonic()
        await gateway.until_ended(gateway.add_jobs(1))
        assert time.monotonic() - back_s < back_s - gone_s
        await eventually(lambda: run.worker.problem is None)
    assert 1 < max(clock.waits_s) <= 2


async def test_no_log_holds_variables_or_headers(gateway):
    """Whatever happens to a job, its data stays out of the logs."""

    async def handler(job):
        if job.retries == 3:
            raise RuntimeError(job.variables_json)
        return Complete(job.variables_json.encode())

    gateway.script.fail("CompleteJob", grpc.StatusCode.INVALID_ARGUMENT, details="canary")
    gateway.script.fail("CompleteJob", grpc.StatusCode.NOT_FOUND, details="canary")
    data = '{"a": "canary"}'
    gateway.add_jobs(2, variables=data, customHeaders=data, retries=3)
    with capture_logs() as logs:
        async with running(gateway, handler) as run:
            await eventually(lambda: run.seen.endings.total() >= 4)
    assert {log["event"] for log in logs} >= {"handler_raised", "job_gone"}
    assert "canary" not in str(logs)
    assert not any("canary" in request.errorMessage for request in gateway.requests("FailJob"))
