from __future__ import annotations

import pytest
from pyzeebe.proto import gateway_pb2 as pb

from tests.worker.test_job import ACTIVATED
from worker import requests
from worker.job import from_activated
from worker.options import WorkerOptions
from worker.outcome import Complete, Fail, ThrowError

JOB = from_activated(ACTIVATED)
OPTIONS = WorkerOptions(
    "demo",
    "me",
    fetch_variables=("request", "cluster"),
    job_timeout_ms=7,
    tenant_ids=("a", "b"),
)


def test_complete_carries_the_bytes_as_they_are():
    """Variables go out unchanged, non-ASCII text included."""
    request = requests.command(JOB, Complete('{"ü": 1}'.encode()))
    assert request == pb.CompleteJobRequest(jobKey=JOB.key, variables='{"ü": 1}')


def test_fail_carries_retries_message_and_backoff():
    """Each part of a failure has its field."""
    request = requests.command(JOB, Fail(2, "why", 1500, b'{"a": 1}'))
    assert request == pb.FailJobRequest(
        jobKey=JOB.key, retries=2, errorMessage="why", retryBackOff=1500, variables='{"a": 1}'
    )


def test_throw_error_carries_code_and_message():
    """Each part of a BPMN error has its field."""
    request = requests.command(JOB, ThrowError("404", "not there", b'{"a": 1}'))
    assert request == pb.ThrowErrorRequest(
        jobKey=JOB.key, errorCode="404", errorMessage="not there", variables='{"a": 1}'
    )


@pytest.mark.parametrize(
    "outcome",
    [Complete(b"\xff"), Fail(2**31, "retries beyond int32"), Fail(1, "", -(2**63) - 1)],
    ids=["no UTF-8", "retries", "back-off"],
)
def test_what_protobuf_cannot_hold_is_a_value_error(outcome):
    """A handler's slip shows before anything is sent."""
    with pytest.raises(ValueError, match=r".+"):
        requests.command(JOB, outcome)


def test_a_poll_asks_for_the_variables_and_tenants_of_the_options_only():
    """Nothing is fetched that nobody reads."""
    assert requests.activation(OPTIONS, 5, -1) == pb.ActivateJobsRequest(
        type="demo",
        worker="me",
        timeout=7,
        maxJobsToActivate=5,
        fetchVariable=["request", "cluster"],
        requestTimeout=-1,
        tenantIds=["a", "b"],
    )


def test_a_stream_asks_for_the_same():
    """Polled and streamed jobs look alike."""
    assert requests.job_stream(OPTIONS) == pb.StreamActivatedJobsRequest(
        type="demo",
        worker="me",
        timeout=7,
        fetchVariable=["request", "cluster"],
        tenantIds=["a", "b"],
    )
