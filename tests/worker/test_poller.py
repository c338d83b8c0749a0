from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from statistics import median

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kit.clock import NotingClock
from tests.kit.gateway import ScriptedGateway
from tests.kit.waiting import eventually
from tests.kit.worker import Held, complete, running
from worker import errors
from worker.executor import OVERDUE_CHECK_S
from worker.observer import Ending
from worker.outcome import Complete
from worker.poller import _LINGER_S

AN_HOUR_MS = 3_600_000


def pauses_of(clock):
    """What was waited for but deadlines to pass and slots to come free."""
    return [wait_s for wait_s in clock.waits_s if wait_s not in (OVERDUE_CHECK_S, _LINGER_S)]


async def test_jobs_that_wait_are_fetched_in_batches(gateway, clock):
    """A backlog of 500 jobs takes about as many polls as batches of a third of the window."""
    keys = gateway.add_jobs(500)
    # While the clock stands still no slot's wait for others is over.
    async with running(gateway, complete, max_jobs_active=100, clock=clock) as run:
        await gateway.until_ended(keys)
        polls = len(gateway.calls("ActivateJobs"))
    assert polls <= 500 / 30 + 2
    assert sum(run.seen.activated) == 500
    assert run.seen.endings == {Ending.COMPLETED: 500}


async def test_a_job_that_comes_up_during_a_long_poll_is_handled_at_once(gateway, clock):
    """An idle worker holds a poll open, so that a new job waits for nothing: no time passes."""
    async with running(gateway, complete, clock=clock, long_poll_ms=AN_HOUR_MS):
        await eventually(lambda: gateway.polls_open() == 1 and len(gateway.received) == 2)
        await gateway.until_ended(gateway.add_jobs(1))
        assert len(gateway.calls("ActivateJobs")) <= 4


async def test_only_the_variables_and_tenants_asked_for_are_fetched(gateway):
    """The poll names them, with the job's type, the worker's name and the job time-out."""
    asked = {"fetch_variables": ("request", "cluster"), "tenant_ids": ("a",)}
    async with running(gateway, complete, job_timeout_ms=7000, **asked):
        await gateway.until_called("ActivateJobs")
    request = gateway.requests("ActivateJobs")[0]
    assert list(request.fetchVariable) == ["request", "cluster"]
    assert list(request.tenantIds) == ["a"]
    assert (request.type, request.worker, request.timeout) == ("demo", "tested", 7000)


async def test_the_first_poll_wants_an_answer_at_once_and_the_others_wait(gateway):
    """Whether the gateway is there is known at once; after that polls are long."""
    async with running(gateway, complete, long_poll_ms=8000):
        await gateway.until_called("ActivateJobs", times=2)
    first, second = gateway.requests("ActivateJobs")
    assert (first.requestTimeout, second.requestTimeout) == (-1, 8000)


async def test_no_more_jobs_are_held_than_allowed(gateway):
    """With the window full no poll is open, however many jobs wait."""
    gateway.add_jobs(50)
    held = Held()
    async with running(gateway, held, max_jobs_active=10, drain_s=0) as run:
        await eventually(lambda: len(held.jobs) == 10)
        assert gateway.polls_open() == 0
        assert run.worker.jobs_in_hand == 10
        held.release(5)
        await eventually(lambda: len(held.seen) == 15)
        assert gateway.most_held == 10


async def test_a_full_window_is_refilled_at_once(gateway):
    """From the end of a full window's jobs to the next poll it takes a few calls' time, no wait."""
    held = Held()
    clock = NotingClock()
    waits_s, calls_s = [], []
    async with running(gateway, held, max_jobs_active=10, clock=clock) as run:
        for _ in range(15):
            gateway.add_jobs(10)
            await eventually(lambda: len(held.jobs) == 10)
            polls, done = len(gateway.calls("ActivateJobs")), len(gateway.calls("CompleteJob"))
            held.release()
            await gateway.until_called("ActivateJobs", times=polls + 1)
            # The third command frees the slot that makes up 30 % of the window.
            enough_s = gateway.calls("CompleteJob")[done + 2].at_s
            waits_s.append(gateway.calls("ActivateJobs")[polls].at_s - enough_s)
            began_s = time.monotonic()
            await run.client.topology()
            calls_s.append(time.monotonic() - began_s)
        assert pauses_of(clock) == []
    assert median(waits_s) < 10 * median(calls_s)


async def test_a_slot_does_not_wait_long_for_others_to_come_free(gateway):
    """While nine of ten jobs are slow, the tenth slot still gets one job after the other."""
    held = Held()
    gateway.add_jobs(12)
    async with running(gateway, held, max_jobs_active=10, drain_s=0):
        await eventually(lambda: len(held.jobs) == 10)
        held.release(1)
        await eventually(lambda: len(held.seen) == 11)
        held.release(1)
        await eventually(lambda: len(held.seen) == 12)
    assert [request.maxJobsToActivate for request in gateway.requests("ActivateJobs")[1:3]] == [
        1,
        1,
    ]


async def test_a_gateway_without_long_polling_is_not_run_hot(gateway):
    """Polls that come back empty at once are made ever more seldom."""
    gateway.long_polling = False
    clock = NotingClock()
    async with running(gateway, complete, clock=clock, long_poll_ms=AN_HOUR_MS):
        await gateway.until_called("ActivateJobs", times=5)
        pauses_s = pauses_of(clock)[:3]
    times = [call.at_s for call in gateway.calls("ActivateJobs")]
    gaps = [late - early for early, late in pairwise(times)]
    # The first is the probe, which the first real poll may follow at once.
    assert min(gaps[1:]) > 0.02
    assert pauses_s == sorted(set(pauses_s))
    assert len(pauses_s) == 3


async def test_jobs_after_quiet_polls_bring_the_pace_back(gateway):
    """A job that is found while polls are seldom makes the next polls follow at once."""
    gateway.long_polling = False
    clock = NotingClock()
    pauses: list[int] = []

    async def handler(job):
        pauses.append(len(pauses_of(clock)))
        return Complete()

    options = {"max_jobs_active": 5, "long_poll_ms": AN_HOUR_MS}
    async with running(gateway, handler, clock=clock, **options):
        await gateway.until_called("ActivateJobs", times=5)
        await gateway.until_ended(gateway.add_jobs(50))
    assert len(pauses) == 50
    assert pauses[-1] == pauses[0] >= 3


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (grpc.StatusCode.UNAVAILABLE, errors.Unavailable),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, errors.Busy),
        (grpc.StatusCode.PERMISSION_DENIED, errors.Forbidden),
        (grpc.StatusCode.UNIMPLEMENTED, errors.Unsupported),
        (grpc.StatusCode.INVALID_ARGUMENT, errors.Rejected),
        (grpc.StatusCode.NOT_FOUND, errors.JobGone),
    ],
    ids=lambda value: getattr(value, "name", None),
)
async def test_whatever_a_poll_fails_with_it_is_made_again(gateway, clock, status, error):
    """No failure of a poll ends the worker, and `problem` names it until a poll succeeds."""
    gateway.script.fail("ActivateJobs", status, times=3)
    async with running(gateway, complete, clock=clock) as run:
        keys = gateway.add_jobs(1)
        for failures in range(1, 4):
            await eventually(lambda failures=failures: len(run.seen.poll_failures) == failures)
            assert status.name in str(run.worker.problem)
            await run.waits(0.05005 * 2 ** (failures - 1))
            await clock.advance(0.5)
        await gateway.until_ended(keys)
        assert run.worker.problem is None
        assert run.seen.poll_failures == [error] * 3


async def test_failed_polls_are_made_ever_more_seldom(gateway):
    """The waits between failing polls grow."""
    gateway.script.fail("ActivateJobs", grpc.StatusCode.RESOURCE_EXHAUSTED, times=float("inf"))
    clock = NotingClock()
    async with running(gateway, complete, clock=clock):
        await gateway.until_called("ActivateJobs", times=5)
    pauses_s = pauses_of(clock)
    assert pauses_s[3] > 2 * pauses_s[0] > 0


async def test_there_is_a_problem_until_the_gateway_has_answered(gateway):
    """A worker that has heard nothing yet is not ready."""
    gate = gateway.script.hold("ActivateJobs")
    async with running(gateway, complete) as run:
        await gateway.until_called("ActivateJobs")
        assert run.worker.problem == "no answer from the gateway yet"
        gate.set()
        await eventually(lambda: run.worker.problem is None)


async def test_wrong_credentials_are_a_problem_until_they_are_right(gateway):
    """UNAUTHENTICATED drops the token and is asked again with the next one, for ever."""

    class Tokens:
        refused = 0

        async def metadata(self):
            return (("authorization", f"Bearer token-{self.refused}"),)

        def rejected(self, metadata):
            assert metadata == (("authorization", f"Bearer token-{self.refused}"),)
            self.refused += 1

    gateway.token = "token-3"
    keys = gateway.add_jobs(1)
    async with running(gateway, complete, connection={"credentials": Tokens()}) as run:
        await eventually(lambda: "UNAUTHENTICATED" in str(run.worker.problem))
        assert "client id" in str(run.worker.problem)
        await gateway.until_ended(keys)
        assert run.worker.problem is None


async def test_credentials_that_fail_are_a_problem_and_no_end(gateway):
    """A token endpoint that is away is told, without its text, and asked again."""

    class Broken:
        works = False

        async def metadata(self):
            if not self.works:
                raise OSError("canary")
            return ()

        def rejected(self, metadata):
            pytest.fail(f"nothing was sent, so {len(metadata)} fields can't have been refused")

    credentials = Broken()
    keys = gateway.add_jobs(1)
    async with running(gateway, complete, connection={"credentials": credentials}) as run:
        await eventually(lambda: "OSError" in str(run.worker.problem))
        assert "canary" not in str(run.worker.problem)
        credentials.works = True
        await gateway.until_ended(keys)


async def test_a_gateway_that_is_away_at_the_start_is_waited_for(gateway):
    """A worker may start before its gateway."""
    await gateway.stop()
    async with running(gateway, complete) as run:
        await eventually(lambda: "UNAVAILABLE" in str(run.worker.problem))
        await gateway.start()
        await gateway.until_ended(gateway.add_jobs(3))
        assert run.worker.problem is None


async def test_jobs_before_a_poll_breaks_off_are_kept():
    """What a poll brought before it failed is handled, and the rest of its slots come back."""

    class BreaksOff(ScriptedGateway):
        async def ActivateJobs(self, request, context):  # noqa: N802 - the protocol's name
            async for answer in super().ActivateJobs(request, context):
                yield answer
                await context.abort(grpc.StatusCode.INTERNAL, "as scripted")

    async with BreaksOff() as gateway:
        keys = gateway.add_jobs(25)
        async with running(gateway, complete, max_jobs_active=10) as run:
            await gateway.until_ended(keys)
        assert run.seen.endings == {Ending.COMPLETED: 25}


async def test_a_gateway_that_gives_too_many_jobs_is_not_asked_until_they_are_done():
    """All jobs are handled although they have no slot, and no poll is open meanwhile."""

    class Generous(ScriptedGateway):
        def _give(self, request, at_most):
            return super()._give(request, at_most + 3)

    async with Generous() as gateway:
        held = Held()
        keys = gateway.add_jobs(6)
        async with running(gateway, held, max_jobs_active=2):
            await eventually(lambda: len(held.jobs) == 5)
            held.release(3)
            await eventually(lambda: len(gateway.ended) == 3)
            assert len(gateway.calls("ActivateJobs")) == 1
            held.release()
            await eventually(lambda: len(held.seen) == 6)
            held.release()
            await gateway.until_ended(keys)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    window=st.integers(2, 8),
    arrivals=st.lists(st.integers(0, 12), min_size=1, max_size=6),
    finishes=st.lists(st.integers(1, 6), min_size=1, max_size=6),
    stream=st.booleans(),
)
def test_never_more_jobs_than_allowed_whatever_the_schedule(window, arrivals, finishes, stream):
    """For any sizes of arrivals and finishes, polled or streamed, the bound holds and all get done.

    What the gateway has given out is counted for polls only: what it writes into a stream that
    nobody reads waits in the connection.
    """

    async def scenario():
        async with ScriptedGateway() as gateway:
            held = Held()
            keys: list[int] = []
            options = {"max_jobs_active": window, "stream_enabled": stream}
            async with running(
                gateway, held, poll_beside_stream_ms=20, stop_grace_ms=0, **options
            ) as run:
                for step in range(max(len(arrivals), len(finishes))):
                    keys += gateway.add_jobs(arrivals[step % len(arrivals)])
                    room = min(window, len(keys) - len(gateway.ended))
                    await eventually(lambda room=room: len(held.jobs) >= room)
                    assert max(run.seen.in_hand, default=0) <= window
                    done = len(gateway.ended) + min(finishes[step % len(finishes)], len(held.jobs))
                    held.release(finishes[step % len(finishes)])
                    await eventually(lambda done=done: len(gateway.ended) >= done)
                while len(gateway.ended) < len(keys):
                    held.release()
                    await eventually(lambda: held.jobs or len(gateway.ended) == len(keys))
                assert max(run.seen.in_hand, default=0) <= window
                if not stream:
                    assert gateway.most_held <= window

    asyncio.run(scenario())
