"""Jobs: given out, completed, failed, timed out, thrown."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from devstack.engine import JobRequest
from devstack.errors import InvalidArgumentError, InvalidStateError, NotFoundError
from tests.kit import bpmn as b
from tests.kit.cluster import Cluster

_ONE_TASK = b.bpmn(b.start(), b.service("t"), b.end(), b.chain("start", "t", "end"))


@pytest.fixture
def cluster(clock) -> Cluster:
    cluster = Cluster(clock)
    cluster.deploy(_ONE_TASK)
    return cluster


@pytest.fixture
async def running(cluster):
    """The engine does what time brings."""
    task = asyncio.create_task(cluster.engine.run())
    yield cluster
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_job_carries_what_the_task_says(clock):
    """A job has the task's type, retries and headers, FEEL evaluated."""
    cluster = Cluster(clock)
    task = b.service(
        "t",
        type='="type-" + kind',
        retries="=tries",
        task_headers={"resultVariable": "r", "x": "=1"},
    )
    cluster.deploy(b.bpmn(b.start(), task, b.end(), b.chain("start", "t", "end")))
    cluster.start(variables={"kind": "a", "tries": 7})
    [given] = cluster.jobs("type-a")
    assert given.retries == 7
    assert given.job.headers == {"resultVariable": "r", "x": "=1"}
    assert given.deadline_ms == clock.now_ms() + 60_000


def test_jobs_are_given_out_once_oldest_first(cluster):
    """Jobs go out in the order they were made, each to one worker, no more than asked for."""
    keys = [cluster.start(variables={"n": n}) for n in range(5)]
    first, second = cluster.jobs(limit=3), cluster.jobs(limit=3)
    assert [given.job.instance.process_instance_key for given in first + second] == keys
    assert len(first) == 3
    assert cluster.jobs() == []


def test_activation_is_recorded_with_its_jobs(cluster):
    """A batch that was given out is one record, with the jobs' keys, worker and variables."""
    cluster.start(variables={"a": 1})
    [given] = cluster.jobs()
    [batch] = cluster.events("JOB_BATCH", "ACTIVATED")
    assert batch.value["jobKeys"] == [given.job.key]
    assert batch.value["jobs"][0]["worker"] == "test"
    assert batch.value["jobs"][0]["variables"] == {"a": 1}
    assert batch.value["jobs"][0]["deadline"] == given.deadline_ms


def test_completing_twice_is_not_found(cluster):
    """A job that is done is gone."""
    cluster.start()
    [given] = cluster.jobs()
    cluster.engine.complete_job(given.job.key, {})
    with pytest.raises(NotFoundError) as refusal:
        cluster.engine.complete_job(given.job.key, {})
    assert str(refusal.value) == (
        f"Command 'COMPLETE' rejected with code 'NOT_FOUND': Expected to complete job with key "
        f"'{given.job.key}', but no such job was found"
    )
    rejection = cluster.records[-1]
    assert (rejection.record_type, rejection.rejection_type) == ("COMMAND_REJECTION", "NOT_FOUND")
    assert rejection.key == given.job.key


def test_a_job_that_waits_need_not_be_given_out(cluster):
    """As in Zeebe it can be failed and completed; only a time-out needs a worker that has it."""
    key = cluster.start()
    job_key = cluster.events("JOB", "CREATED")[-1].key
    with pytest.raises(InvalidStateError, match="it is not active"):
        cluster.engine.update_job_timeout(job_key, 1_000)
    cluster.engine.fail_job(job_key, retries=2, message="no")
    cluster.engine.complete_job(job_key, {})
    assert cluster.has_ended(key)


def test_a_job_that_is_held_back_takes_no_answer(cluster):
    """Until its back-off is over a failed job cannot be completed, failed or thrown."""
    cluster.start()
    [given] = cluster.jobs()
    key = given.job.key
    cluster.engine.fail_job(key, retries=2, message="no", backoff_ms=1_000)
    for answer in (
        lambda: cluster.engine.complete_job(key, {}),
        lambda: cluster.engine.fail_job(key, retries=1, message="no"),
        lambda: cluster.engine.throw_error(key, code="E", message="no"),
    ):
        with pytest.raises(InvalidStateError, match="it is in state 'FAILED'"):
            answer()


def test_failing_with_retries_offers_the_job_again(cluster):
    """A failed job with retries left goes to the next worker, its variables kept at the task."""
    cluster.start()
    [given] = cluster.jobs()
    cluster.engine.fail_job(given.job.key, retries=2, message="no", variables={"why": "x"})
    [again] = cluster.jobs()
    assert again.job.key == given.job.key
    assert again.retries == 2
    assert orjson.loads(again.variables) == {"why": "x"}
    [failed] = cluster.events("JOB", "FAILED")
    assert failed.value["errorMessage"] == "no"


def test_failing_without_retries_is_an_incident(cluster):
    """No retries left: an incident with the worker's message holds the job until it is resolved."""
    key = cluster.start()
    [given] = cluster.jobs()
    cluster.engine.fail_job(given.job.key, retries=0, message="card declined")
    [incident] = cluster.incidents()
    assert incident.value["errorType"] == "JOB_NO_RETRIES"
    assert incident.value["errorMessage"] == "card declined"
    assert incident.value["jobKey"] == given.job.key
    assert cluster.jobs() == []
    with pytest.raises(InvalidStateError):
        cluster.engine.complete_job(given.job.key, {})
    with pytest.raises(InvalidStateError, match="Please update the job retries and retry"):
        cluster.engine.resolve_incident(incident.key)
    cluster.engine.update_job_retries(given.job.key, 1)
    assert cluster.jobs() == []
    cluster.engine.resolve_incident(incident.key)
    assert cluster.complete() == 1
    assert cluster.has_ended(key)
    assert cluster.incidents() == []
    assert cluster.remembers == 0


def test_retries_must_be_positive(cluster):
    """Zero or fewer retries cannot be set."""
    cluster.start()
    [given] = cluster.jobs()
    with pytest.raises(InvalidArgumentError, match="the amount given was '0'"):
        cluster.engine.update_job_retries(given.job.key, 0)
    assert cluster.events("JOB", "RETRIES_UPDATED") == []


def test_long_error_messages_are_cut(cluster):
    """An error message of any length is kept to 10,000 characters."""
    cluster.start()
    [given] = cluster.jobs()
    cluster.engine.fail_job(given.job.key, retries=1, message="x" * 20_000)
    [failed] = cluster.events("JOB", "FAILED")
    assert failed.value["errorMessage"] == "x" * 10_000 + "..."
    [given] = cluster.jobs()
    cluster.engine.fail_job(given.job.key, retries=0, message="x" * 20_000)
    [incident] = cluster.incidents()
    assert incident.value["errorMessage"] == failed.value["errorMessage"]


def test_times_beyond_all_bounds_are_the_last_there_is(cluster):
    """A time-out or a back-off that leads past 64 bits of milliseconds ends at their end."""
    cluster.start()
    longest = (1 << 63) - 1
    [given] = cluster.jobs(timeout_ms=longest)
    assert given.deadline_ms == longest
    cluster.engine.fail_job(given.job.key, retries=1, backoff_ms=longest)
    [failed] = cluster.events("JOB", "FAILED")
    assert failed.value["recurringTime"] == longest


async def test_timed_out_job_is_given_out_again(running, clock):
    """A job whose worker says nothing until the deadline goes to another worker."""
    running.start()
    [given] = running.jobs(timeout_ms=5_000)
    await clock.advance(4.9)
    assert running.jobs() == []
    await clock.advance(0.2)
    [again] = running.jobs()
    assert again.job.key == given.job.key
    assert running.intents("JOB") == ["CREATED", "TIMED_OUT"]
    running.engine.complete_job(given.job.key, {})
    await clock.advance(100)
    assert running.intents("JOB")[-1] == "COMPLETED"


async def test_back_off_holds_a_failed_job(running, clock):
    """A job failed with a back-off is given out when it is over, not before."""
    running.start()
    [given] = running.jobs()
    running.engine.fail_job(given.job.key, retries=2, backoff_ms=30_000)
    with pytest.raises(InvalidStateError, match="it is in state 'FAILED'"):
        running.engine.complete_job(given.job.key, {})
    await clock.advance(29.9)
    assert running.jobs() == []
    await clock.advance(0.2)
    assert [each.job.key for each in running.jobs()] == [given.job.key]
    assert running.intents("JOB") == ["CREATED", "FAILED", "RECURRED_AFTER_BACKOFF"]


async def test_updated_timeout_counts_from_now(running, clock):
    """A worker can keep a job longer; one that no worker has cannot be kept."""
    running.start()
    [given] = running.jobs(timeout_ms=5_000)
    await clock.advance(4)
    running.engine.update_job_timeout(given.job.key, 10_000)
    await clock.advance(9)
    assert running.jobs() == []
    await clock.advance(2)
    assert len(running.jobs()) == 1
    running.engine.fail_job(given.job.key, retries=1)
    with pytest.raises(InvalidStateError, match="it is not active"):
        running.engine.update_job_timeout(given.job.key, 10_000)


async def test_many_jobs_leave_no_alarms(running):
    """Jobs that were completed before their deadline leave nothing on the schedule."""
    for _ in range(3_000):
        running.start()
        running.complete()
    assert running.remembers == 0
    assert len(running.engine._schedule._heap) < 2_500


def test_job_larger_than_a_message_is_an_incident(clock):
    """A job that fits no message gets an incident, and the jobs after it still go out."""
    cluster = Cluster(clock, max_message_bytes=10_000)
    cluster.deploy(_ONE_TASK)
    cluster.start(variables={"big": "x" * 20_000})
    small = cluster.start()
    [given] = cluster.jobs()
    assert given.job.instance.process_instance_key == small
    [incident] = cluster.incidents()
    assert incident.value["errorType"] == "MESSAGE_SIZE_EXCEEDED"
    cluster.engine.resolve_incident(incident.key)
    [fits] = cluster.jobs(fetch_variables=frozenset({"none"}))
    assert fits.variables == "{}"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"max_jobs": 0}, "max jobs to activate to be greater than zero, but it was '0'"),
        ({"timeout_ms": 0}, "timeout to be greater than zero, but it was '0'"),
        ({"type": " "}, "type to be present, but it was blank"),
        ({"worker": ""}, "worker to be present, but it was blank"),
    ],
    ids=["jobs", "timeout", "type", "worker"],
)
def test_requests_that_can_get_no_jobs(cluster, change, expected):
    """A request for no jobs, no time, no type or no worker is refused."""
    request = {"type": "work", "worker": "w", "timeout_ms": 1, "max_jobs": 1, **change}
    with pytest.raises(InvalidArgumentError, match=expected):
        cluster.engine.activate_jobs(JobRequest(**request))


def test_cancelled_instance_takes_its_job_back(cluster):
    """Cancelling a process instance cancels its job, which then is unknown."""
    key = cluster.start()
    [given] = cluster.jobs()
    cluster.engine.cancel_instance(key)
    assert cluster.intents("JOB") == ["CREATED", "CANCELED"]
    assert cluster.trace("p")[-2:] == ["TERMINATING", "TERMINATED"]
    with pytest.raises(NotFoundError):
        cluster.engine.complete_job(given.job.key, {})
    with pytest.raises(NotFoundError, match="no such process was found"):
        cluster.engine.cancel_instance(key)
    assert cluster.remembers == 0
