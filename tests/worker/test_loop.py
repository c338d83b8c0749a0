from __future__ import annotations

import asyncio

import grpc
import pytest
from structlog.testing import capture_logs

from tests.kit.gateway import ScriptedGateway
from tests.kit.waiting import PATIENCE_S, eventually
from tests.kit.worker import Held, complete, running
from worker.gateway import Gateway
from worker.loop import Worker
from worker.observer import Ending
from worker.options import WorkerOptions
from worker.outcome import Complete


def _now_s() -> float:
    return asyncio.get_running_loop().time()


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


async def test_jobs_that_do_not_finish_in_time_are_handed_back_with_their_retries(gateway):
    """At the drain deadline a handler is cancelled, and another worker gets its job at once."""
    held = Held()
    keys = gateway.add_jobs(5, retries=2)
    async with running(gateway, held, drain_s=0.1) as run:
        await eventually(lambda: len(held.jobs) == 5)
        began_s = _now_s()
        await run.stopped()
        assert 0.1 <= _now_s() - began_s < 2
    requests = gateway.requests("FailJob")
    assert {request.retries for request in requests} == {2}
    assert all("stopping" in request.errorMessage for request in requests)
    assert {request.retryBackOff for request in requests} == {0}
    assert [job.key for job in gateway.waiting] == keys
    assert gateway.held == {}
    assert run.seen.endings == {Ending.HANDED_BACK: 5}
    assert held.jobs == {}


async def test_a_drain_of_no_time_loses_no_job(gateway):
    """Jobs that have only just come in when the worker stops are handed back as well."""
    gateway.add_jobs(300)
    async with running(gateway, Held(), drain_s=0, max_jobs_active=100) as run:
        await eventually(lambda: run.seen.activated)
        await run.stopped()
    assert gateway.held == {}
    assert len(gateway.waiting) == 300


async def test_an_idle_worker_stops_after_its_grace(gateway):
    """A poll that brings nothing holds a stop up for `stop_grace_ms` and no longer."""
    async with running(gateway, complete, stop_grace_ms=100, long_poll_ms=10_000) as run:
        await gateway.until_called("ActivateJobs", times=2)
        began_s = _now_s()
        await run.stopped()
        assert 0.1 <= _now_s() - began_s < 1.5
    await eventually(lambda: not gateway.polls_open())


async def test_jobs_of_a_poll_that_answers_after_the_stop_are_handed_back(gateway):
    """An answer that is on its way when the worker stops is not lost: its jobs go back at once."""
    async with running(gateway, complete, stop_grace_ms=5000) as run:
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


async def test_no_job_is_left_to_its_time_out_by_a_stop_under_load(gateway):
    """Twenty stops in the middle of a backlog leave nothing held: all is done or handed back."""
    gateway.add_jobs(2000)
    for _ in range(20):
        async with running(gateway, complete, max_jobs_active=40) as run:
            await eventually(lambda run=run: len(run.seen.activated) > 2)
            await run.stopped()
        assert gateway.held == {}
    assert len(gateway.ended) + len(gateway.waiting) == 2000


async def test_pushed_jobs_that_nobody_has_read_are_handed_back(gateway):
    """What a stream had brought while the worker was full goes back when the worker stops."""
    held = Held()
    gateway.script.fail("ActivateJobs", grpc.StatusCode.UNAVAILABLE, times=float("inf"))
    options = {"stream_enabled": True, "max_jobs_active": 2, "stop_grace_ms": 1000}
    async with running(gateway, held, drain_s=0.1, **options) as run:
        keys = gateway.add_jobs(10)
        await eventually(lambda: len(held.jobs) == 2 and not gateway.waiting)
        assert len(gateway.held) == 10
        await run.stopped()
    assert gateway.held == {}
    assert sorted(job.key for job in gateway.waiting) == keys
    assert run.seen.endings == {Ending.HANDED_BACK: 10}


async def test_a_stream_that_never_falls_silent_does_not_hold_up_a_stop():
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
        async with running(gateway, complete, **options) as run:
            await eventually(lambda: run.seen.endings[Ending.COMPLETED] > 10)
            began_s = _now_s()
            await run.stopped()
            assert _now_s() - began_s < 2


async def test_a_stop_while_the_gateway_is_away_is_prompt(gateway):
    """Nobody needs to be there for a worker with nothing in hand to stop."""
    await gateway.stop()
    async with running(gateway, complete) as run:
        await eventually(lambda: len(run.seen.poll_failures) >= 3)
        began_s = _now_s()
        await run.stopped()
        assert _now_s() - began_s < 1


async def test_a_stop_while_credentials_hang_is_prompt(gateway):
    """A token endpoint that does not answer holds up no stop."""

    class Hanging:
        asked = False

        async def metadata(self):
            self.asked = True
            return await asyncio.get_running_loop().create_future()

        def rejected(self, metadata):
            pytest.fail(f"{len(metadata)} fields were refused that nobody sent")

    credentials = Hanging()
    async with running(gateway, complete, connection={"credentials": credentials}) as run:
        await eventually(lambda: credentials.asked)
        began_s = _now_s()
        await run.stopped()
        assert _now_s() - began_s < 1


@pytest.mark.slow
async def test_outcomes_that_find_no_gateway_hold_a_stop_up_for_the_drain_only(gateway):
    """With the gateway away a stop ends after drain and hand-back, and the log counts the rest."""
    held = Held()
    gateway.add_jobs(3)
    with capture_logs() as logs:
        async with running(gateway, held, drain_s=0.1) as run:
            await eventually(lambda: len(held.jobs) == 3)
            await gateway.stop()
            began_s = _now_s()
            await run.stopped()
            assert 3 < _now_s() - began_s < 5
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
    """After an outage that has driven every wait to its cap, the first job is done in time."""
    async with running(gateway, complete) as run:
        await eventually(lambda: run.worker.problem is None)
        await gateway.stop()
        await eventually(lambda: len(run.seen.poll_failures) >= 7)
        assert "UNAVAILABLE" in str(run.worker.problem)
        await gateway.start()
        began_s = _now_s()
        await gateway.until_ended(gateway.add_jobs(1))
        assert _now_s() - began_s < 5
        await eventually(lambda: run.worker.problem is None)


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
