from __future__ import annotations

import asyncio

import grpc

from tests.kit.clock import NotingClock
from tests.kit.gateway import ScriptedGateway
from tests.kit.waiting import eventually
from tests.kit.worker import Held, complete, running
from worker import errors
from worker.executor import OVERDUE_CHECK_S
from worker.observer import Ending
from worker.poller import _LINGER_S
from worker.streamer import _BACKOFF, _QUIET_S

STREAM = {"stream_enabled": True, "poll_beside_stream_ms": 60_000}
FIRST_S = _BACKOFF.delay_s(1, lambda: 0.999)


async def test_new_jobs_come_by_the_stream(gateway):
    """With a stream open a job that comes up needs no poll."""
    async with running(gateway, complete, **STREAM):
        await eventually(lambda: gateway.open_calls["StreamActivatedJobs"] == 1)
        await eventually(lambda: not gateway.polls_open())
        polls = len(gateway.calls("ActivateJobs"))
        await gateway.until_ended(gateway.add_jobs(50))
        assert len(gateway.calls("ActivateJobs")) == polls


async def test_the_stream_asks_for_the_same_as_the_poll(gateway):
    """Variables, tenants and time-out of streamed jobs are those of polled ones."""
    asked = {"fetch_variables": ("request",), "tenant_ids": ("a",), "job_timeout_ms": 7000}
    async with running(gateway, complete, **STREAM, **asked):
        await gateway.until_called("StreamActivatedJobs")
    [request] = gateway.requests("StreamActivatedJobs")
    assert (list(request.fetchVariable), list(request.tenantIds)) == (["request"], ["a"])
    assert (request.type, request.worker, request.timeout) == ("demo", "tested", 7000)


async def test_jobs_from_before_the_stream_are_polled():
    """A gateway whose stream brings only new jobs still gets rid of its old ones."""

    class NewJobsOnly(ScriptedGateway):
        async def StreamActivatedJobs(self, request, context):  # noqa: N802 - the protocol's name
            await self._enter("StreamActivatedJobs", request, context)
            yield await asyncio.get_running_loop().create_future()

    async with NewJobsOnly() as gateway:
        keys = gateway.add_jobs(200)
        async with running(gateway, complete, **STREAM):
            await gateway.until_called("StreamActivatedJobs")
            await gateway.until_ended(keys)
            await eventually(lambda: not gateway.polls_open())
        waits = {request.requestTimeout for request in gateway.requests("ActivateJobs")}
        assert waits == {-1}


async def test_the_poll_beside_a_stream_comes_now_and_then(gateway):
    """Polls beside a stream have a pause between them and never stay open."""
    async with running(gateway, complete, stream_enabled=True, poll_beside_stream_ms=100):
        await gateway.until_called("ActivateJobs", times=4)
    times = [call.at_s for call in gateway.calls("ActivateJobs")]
    assert times[3] - times[2] >= 0.079
    assert {request.requestTimeout for request in gateway.requests("ActivateJobs")} == {-1}


async def test_a_full_worker_does_not_read_the_stream(gateway):
    """With every slot taken the gateway comes to a halt: flow control holds it back."""
    size = 8_000
    gateway.add_jobs(500, variables=f'{{"a": "{"x" * size}"}}')
    gateway.script.fail("ActivateJobs", grpc.StatusCode.UNIMPLEMENTED, times=float("inf"))
    held = Held()
    async with running(gateway, held, max_jobs_active=4, drain_s=0, **STREAM) as run:
        await eventually(lambda: len(held.jobs) == 4)
        given = -1
        while given != len(gateway.held):
            given = len(gateway.held)
            # Nothing tells that a flow has halted but that it stays so.
            await asyncio.sleep(0.2)
        assert max(run.seen.in_hand) == 4
        # The window of 16 KiB and the gateway's own buffers, not the 4 MB that wait.
        assert given < 30
        held.release(2)
        await eventually(lambda: len(held.seen) == 6)


async def test_a_stream_at_its_deadline_is_renewed_and_that_is_no_failure(gateway):
    """The end of a stream's regular life is followed by a new one at once, without a word."""
    clock = NotingClock()
    async with running(gateway, complete, clock=clock, stream_renewal_s=0.1, **STREAM) as run:
        await gateway.until_called("StreamActivatedJobs", times=4)
    assert run.seen.poll_failures == []
    # Nothing was waited for but deadlines, quiet in a stream, the next poll and at the end.
    grace_s, poll_s = 0.05, 60 * (1 - 0.2 * 0.999)
    assert set(clock.waits_s) <= {OVERDUE_CHECK_S, _QUIET_S, grace_s, poll_s, _LINGER_S, 5.0}


async def test_a_busy_stream_is_renewed_in_a_quiet_moment(gateway, clock):
    """A stream ends when all is read, before its deadline, at which unread jobs are dropped."""
    held = Held()
    options = {**STREAM, "stream_renewal_s": 3600.0, "max_jobs_active": 3}
    hours_ms = 3 * 3_600_000
    async with running(gateway, held, clock=clock, job_timeout_ms=hours_ms, **options) as run:
        await gateway.until_called("StreamActivatedJobs")
        keys = gateway.add_jobs(3)
        await eventually(lambda: len(held.jobs) == 3)
        # These wait in the connection, past four fifths of the stream's life.
        keys += gateway.add_jobs(3)
        await eventually(lambda: not gateway.waiting)
        await clock.advance(0.8 * 3600 + 1)
        assert len(gateway.calls("StreamActivatedJobs")) == 1
        held.release()
        await eventually(lambda: len(held.jobs) == 3)
        held.release()
        await run.waits(_QUIET_S)
        assert len(gateway.calls("StreamActivatedJobs")) == 1
        await clock.advance(_QUIET_S)
        await gateway.until_called("StreamActivatedJobs", times=2)
        await gateway.until_ended(keys)
    assert run.seen.poll_failures == []
    assert run.seen.endings == {Ending.COMPLETED: 6}


async def test_a_stream_that_times_out_at_once_does_not_run_hot(gateway):
    """Only a stream that has lived its life is followed at once; others are a failure."""
    gateway.script.fail("StreamActivatedJobs", grpc.StatusCode.DEADLINE_EXCEEDED, times=3)
    async with running(gateway, complete, **STREAM) as run:
        await gateway.until_called("StreamActivatedJobs", times=4)
    times = [call.at_s for call in gateway.calls("StreamActivatedJobs")]
    assert times[3] - times[0] > 0.3
    assert run.seen.poll_failures == [errors.TimedOut] * 3


async def test_a_stream_that_breaks_is_opened_again_ever_more_seldom(gateway):
    """A failing stream is retried with growing waits, and works when the gateway does."""
    gateway.script.fail("StreamActivatedJobs", grpc.StatusCode.UNAVAILABLE, times=3)
    clock = NotingClock()
    async with running(gateway, complete, clock=clock, **STREAM) as run:
        await gateway.until_called("StreamActivatedJobs", times=4)
        await gateway.until_ended(gateway.add_jobs(10))
    assert clock.waits_s.index(FIRST_S) < clock.waits_s.index(2 * FIRST_S)
    assert 4 * FIRST_S in clock.waits_s
    assert run.seen.poll_failures == [errors.Unavailable] * 3


async def test_a_stream_that_ends_by_itself_is_opened_again():
    """A gateway that closes its streams in good order, for a restart, gets a new one."""

    class Closing(ScriptedGateway):
        async def StreamActivatedJobs(self, request, context):  # noqa: N802 - the protocol's name
            await self._enter("StreamActivatedJobs", request, context)
            for job in self._give(request, 1):
                yield job

    async with Closing() as gateway:
        keys = gateway.add_jobs(3)
        gateway.script.fail("ActivateJobs", grpc.StatusCode.UNAVAILABLE, times=float("inf"))
        async with running(gateway, complete, **STREAM):
            await gateway.until_ended(keys)


async def test_without_job_streams_polls_have_to_do(gateway):
    """A gateway from before 8.4 has no streams: it is asked once, then polled long."""
    gateway.script.fail("StreamActivatedJobs", grpc.StatusCode.UNIMPLEMENTED, times=float("inf"))
    options = {"stream_enabled": True, "poll_beside_stream_ms": 10, "long_poll_ms": 5000}
    async with running(gateway, complete, **options) as run:
        await eventually(lambda: gateway.requests("ActivateJobs")[-1:] and gateway.polls_open())
        await eventually(lambda: gateway.requests("ActivateJobs")[-1].requestTimeout == 5000)
        await gateway.until_ended(gateway.add_jobs(10))
        assert run.worker.problem is None
    assert len(gateway.calls("StreamActivatedJobs")) == 1


async def test_stream_and_poll_together_hold_no_more_than_allowed(gateway):
    """Slots are shared: a backlog that comes both ways fills them once."""
    keys = gateway.add_jobs(60)
    held = Held()
    async with running(
        gateway, held, max_jobs_active=8, stream_enabled=True, poll_beside_stream_ms=1
    ) as run:
        while len(gateway.ended) < len(keys):
            await eventually(lambda: held.jobs or len(gateway.ended) == len(keys))
            held.release(3)
            await eventually(lambda: not held.jobs or run.worker.jobs_in_hand)
        assert max(run.seen.in_hand) <= 8
    assert run.seen.endings == {Ending.COMPLETED: 60}
