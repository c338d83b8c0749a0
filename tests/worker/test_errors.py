from __future__ import annotations

import grpc
import pytest

from worker import errors
from worker.errors import translate

EXPECTED = {
    "CANCELLED": errors.Unavailable,
    "UNKNOWN": errors.Unavailable,
    "INVALID_ARGUMENT": errors.Rejected,
    "DEADLINE_EXCEEDED": errors.TimedOut,
    "NOT_FOUND": errors.JobGone,
    "ALREADY_EXISTS": errors.Rejected,
    "PERMISSION_DENIED": errors.Forbidden,
    "RESOURCE_EXHAUSTED": errors.Busy,
    "FAILED_PRECONDITION": errors.Rejected,
    "ABORTED": errors.Unavailable,
    "OUT_OF_RANGE": errors.Rejected,
    "UNIMPLEMENTED": errors.Unsupported,
    "INTERNAL": errors.Unavailable,
    "UNAVAILABLE": errors.Unavailable,
    "DATA_LOSS": errors.Unavailable,
    "UNAUTHENTICATED": errors.Unauthenticated,
}
FAILURES = [status for status in grpc.StatusCode if status is not grpc.StatusCode.OK]


@pytest.mark.parametrize("status", FAILURES, ids=lambda status: status.name)
def test_each_status_that_grpc_has_is_translated(status):
    """No status of gRPC, today's or a later one's, is left without a type of ours."""
    error = translate(status, "text", gateway="zeebe:26500")
    assert type(error) is EXPECTED[status.name]
    assert "zeebe:26500" in str(error)
    assert status.name in str(error)


@pytest.mark.parametrize("status", FAILURES, ids=lambda status: status.name)
def test_a_message_never_repeats_what_the_gateway_may_have_quoted(status):
    """A status' text can hold variables, so that only that of a broken connection is shown."""
    shown = "canary" in str(translate(status, "canary", gateway="zeebe:26500"))
    assert shown is (status is grpc.StatusCode.UNAVAILABLE)


@pytest.mark.parametrize(
    "details",
    [
        "SERVER: Received message larger than max (5000000 vs. 4194304)",
        "grpc: received message larger than max (5000000 vs. 4194304)",
        "gRPC message exceeds maximum size 4194304: 5000000",
    ],
    ids=["C", "Go", "Java"],
)
def test_a_message_that_is_too_large_is_told_from_back_pressure(details):
    """The servers' wordings for a large message make it a refusal, not a reason to try again."""
    error = translate(grpc.StatusCode.RESOURCE_EXHAUSTED, details, gateway="zeebe:26500")
    assert type(error) is errors.TooLarge
    assert not isinstance(error, errors.Retryable)


def test_back_pressure_stays_retryable_whatever_the_size():
    """A gateway with a raised limit may ask for a pause while it gets a large command."""
    error = translate(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "Expected to handle request, but partition is overloaded",
        gateway="zeebe:26500",
        sent_bytes=5_000_000,
    )
    assert type(error) is errors.Busy


@pytest.mark.parametrize(
    ("sent_bytes", "expected"), [(4_194_304, errors.Unavailable), (4_194_305, errors.TooLarge)]
)
def test_a_stream_reset_for_its_size_counts_as_too_large(sent_bytes, expected):
    """Zeebe resets the stream of a command beyond its 4 MiB, which arrives as CANCELLED."""
    error = translate(grpc.StatusCode.CANCELLED, "", gateway="zeebe:26500", sent_bytes=sent_bytes)
    assert type(error) is expected
