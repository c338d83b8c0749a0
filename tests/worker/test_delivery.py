from __future__ import annotations

import grpc
import pytest
from structlog.testing import capture_logs

from tests.kit.waiting import eventually
from tests.kit.worker import Held, complete, running
from worker import errors
from worker.observer import Ending
from worker.outcome import Complete, Fail, ThrowError


def _always(outcome):
    async def handler(job):
        return outcome

    return handler


async def test_a_completed_job_carries_its_variables(gateway):
    """Complete becomes CompleteJob with the bytes as text."""
    keys = gateway.add_jobs(1)
    async with running(gateway, _always(Complete(b'{"answer": 42}'))) as run:
        await gateway.until_ended(keys)
    [request] = gateway.requests("CompleteJob")
    assert (request.jobKey, request.variables) == (keys[0], '{"answer": 42}')
    assert run.seen.endings == {Ending.COMPLETED: 1}


async def test_a_failed_job_carries_retries_message_and_backoff(gateway):
    """Fail becomes FailJob, and 0 retries end the job in an incident."""
    keys = gateway.add_jobs(1)
    async with running(gateway, _always(Fail(0, "why", 1500, b'{"a": 1}'))) as run:
        await gateway.until_ended(keys)
    [request] = gateway.requests("FailJob")
    assert (request.retries, request.errorMessage) == (0, "why")
    assert (request.retryBackOff, request.variables) == (1500, '{"a": 1}')
    assert run.seen.endings == {Ending.FAILED: 1}


async def test_a_bpmn_error_carries_its_code(gateway):
    """ThrowError becomes ThrowError."""
    keys = gateway.add_jobs(1)
    async with running(gateway, _always(ThrowError("404", "not there"))) as run:
        await gateway.until_ended(keys)
    [request] = gateway.requests("ThrowError")
    assert (request.errorCode, request.errorMessage) == ("404", "not there")
    assert run.seen.endings == {Ending.ERROR_THROWN: 1}


@pytest.mark.parametrize(
    ("outcome", "method", "status", "error"),
    [
        (Complete(), "CompleteJob", grpc.StatusCode.UNAVAILABLE, errors.Unavailable),
        (Complete(), "CompleteJob", grpc.StatusCode.RESOURCE_EXHAUSTED, errors.Busy),
        (Complete(), "CompleteJob", grpc.StatusCode.DEADLINE_EXCEEDED, errors.TimedOut),
        (Complete(), "CompleteJob", grpc.StatusCode.UNAUTHENTICATED, errors.Unauthenticated),
        (Complete(), "CompleteJob", grpc.StatusCode.CANCELLED, errors.Unavailable),
        (Fail(0, ""), "FailJob", grpc.StatusCode.UNAVAILABLE, errors.Unavailable),
        (ThrowError("", ""), "ThrowError", grpc.StatusCode.UNAVAILABLE, errors.Unavailable),
    ],
    ids=lambda value: getattr(value, "name", value if isinstance(value, str) else ""),
)
async def test_a_command_that_failed_for_the_moment_is_sent_again(
    gateway, outcome, method, status, error
):
    """Back pressure, an outage, a time-out or an old token delay an outcome and lose nothing."""
    gateway.script.fail(method, status, times=2)
    keys = gateway.add_jobs(1)
    async with running(gateway, _always(outcome)) as run:
        await gateway.until_ended(keys)
    times = [call.at_s for call in gateway.calls(method)]
    assert len(times) == 3
    assert times[2] - times[1] > 0.09
    assert run.seen.retried == [error, error]


async def test_a_command_without_an_answer_is_sent_again(gateway):
    """Each try has a deadline of its own, so that a silent gateway holds nothing up for ever."""
    gate = gateway.script.hold("CompleteJob")
    keys = gateway.add_jobs(1)
    async with running(gateway, complete, command_timeout_ms=200) as run:
        await gateway.until_called("CompleteJob", times=2)
        gate.set()
        await gateway.until_ended(keys)
    assert run.seen.retried[0] is errors.TimedOut


async def _until_ended(run, clock):
    """Let time pass from one repeat of the command to the next, until the job has ended."""
    while not run.seen.endings:
        # Nearest in time is the wait before the next try; that for overdue jobs is the other one.
        await eventually(lambda: run.seen.endings or len(clock.sleeping_s) > 1)
        await clock.advance(0.0 if run.seen.endings else clock.sleeping_s[0])


async def test_an_outcome_is_given_up_at_the_jobs_deadline(gateway, clock):
    """Past its deadline a job is another worker's, so the command is not sent any more."""
    gateway.script.fail("CompleteJob", grpc.StatusCode.UNAVAILABLE, times=float("inf"))
    gateway.add_jobs(1)
    with capture_logs() as logs:
        async with running(gateway, complete, job_timeout_ms=600, clock=clock) as run:
            await _until_ended(run, clock)
            sent = len(gateway.calls("CompleteJob"))
            given_up_s = clock.monotonic_s()
    assert run.seen.endings == {Ending.UNDELIVERED: 1}
    assert sent == len(run.seen.retried) + 1 >= 2
    assert 0.2 < given_up_s < 0.6
    assert [log["log_level"] for log in logs if log["event"] == "outcome_undelivered"] == ["error"]


async def test_an_extended_deadline_is_what_counts(gateway, clock):
    """A handler that has asked for more time gets its outcome delivered within that time."""
    keys = gateway.add_jobs(1)

    async def handler(job):
        await run.client.update_job_timeout(job, 60_000)
        return Complete()

    gateway.script.fail("CompleteJob", grpc.StatusCode.UNAVAILABLE, times=3)
    async with running(gateway, handler, job_timeout_ms=300, clock=clock) as run:
        await _until_ended(run, clock)
        assert clock.monotonic_s() > 0.3
    assert run.seen.endings == {Ending.COMPLETED: 1}
    assert set(gateway.ended) == set(keys)


async def test_a_job_that_is_gone_is_logged_and_that_is_all(gateway):
    """NOT_FOUND means that another worker has done the job: no retry, no failed job, no error."""
    gateway.script.fail("CompleteJob", grpc.StatusCode.NOT_FOUND)
    gateway.add_jobs(1)
    with capture_logs() as logs:
        async with running(gateway, complete) as run:
            await eventually(lambda: run.seen.endings)
    assert run.seen.endings == {Ending.GONE: 1}
    assert len(gateway.calls("CompleteJob")) == 1
    assert gateway.calls("FailJob") == []
    [log] = [log for log in logs if log["event"] == "job_gone"]
    assert log["log_level"] == "info"
    assert (log["process_id"], log["element_id"]) == ("order", "ask")


@pytest.mark.parametrize(
    "status",
    [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION],
    ids=lambda status: status.name,
)
@pytest.mark.parametrize(
    ("method", "outcome"),
    [("CompleteJob", Complete(b'{"a": "canary"}')), ("ThrowError", ThrowError("c", "canary"))],
    ids=["complete", "throw"],
)
async def test_a_refused_outcome_fails_the_job(gateway, method, outcome, status):
    """What the gateway will never take ends in a failed job that says so, without any value."""
    gateway.script.fail(method, status, details="canary is no JSON object")
    gateway.add_jobs(1, retries=1)
    async with running(gateway, _always(outcome)) as run:
        await eventually(lambda: run.seen.endings)
    [request] = gateway.requests("FailJob")
    assert request.retries == 0
    assert f"refused the worker's {type(outcome).__name__} command" in request.errorMessage
    assert "canary" not in request.errorMessage
    assert len(gateway.calls(method)) == 1
    assert run.seen.endings == {Ending.FAILED: 1}


async def test_a_result_that_is_too_large_fails_the_job_with_its_size(gateway):
    """A real gRPC server refuses 5 MB with RESOURCE_EXHAUSTED, which is not tried again."""
    gateway.add_jobs(1, retries=1)
    large = b'{"a": "' + b"x" * 5_000_000 + b'"}'
    async with running(gateway, _always(Complete(large))) as run:
        await eventually(lambda: run.seen.endings)
    [request] = gateway.requests("FailJob")
    assert f"{len(large)} bytes" in request.errorMessage
    assert "maxMessageSize" in request.errorMessage
    assert request.retries == 0
    assert run.seen.retried == []


async def test_an_outcome_that_is_no_command_fails_the_job(gateway):
    """Bytes that are no UTF-8 are a refused outcome, not the worker's end."""
    gateway.add_jobs(1, retries=1)
    async with running(gateway, _always(Complete(b"\xff"))) as run:
        await eventually(lambda: run.seen.endings)
    assert run.seen.endings == {Ending.FAILED: 1}
    assert len(gateway.calls("FailJob")) == 1


@pytest.mark.parametrize(
    "status",
    [grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.PERMISSION_DENIED],
    ids=lambda status: status.name,
)
async def test_a_failure_that_is_refused_is_given_up(gateway, status):
    """When not even FailJob is taken the job is left to its time-out, and the log says so."""
    gateway.script.fail("FailJob", status)
    gateway.add_jobs(1)
    with capture_logs() as logs:
        async with running(gateway, _always(Fail(0, ""))) as run:
            await eventually(lambda: run.seen.endings)
    assert run.seen.endings == {Ending.UNDELIVERED: 1}
    assert "outcome_undelivered" in [log["event"] for log in logs]


async def test_outcomes_wait_for_a_gateway_that_comes_back(gateway):
    """Jobs finished while the gateway is away are delivered after its return, each once."""
    held = Held()
    keys = gateway.add_jobs(20)
    async with running(gateway, held) as run:
        await eventually(lambda: len(held.jobs) == 20)
        await gateway.stop()
        held.release()
        await eventually(lambda: len(run.seen.retried) >= 40)
        await gateway.start()
        await gateway.until_ended(keys)
    assert max(gateway.ended.values()) == 1
