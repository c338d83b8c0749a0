import pytest
from prometheus_client import CollectorRegistry

from connector.errors import HttpError
from connector.headers import TaskHeaders
from connector.observation import JobWitness
from tests.kit.clock import FakeClock
from tests.kit.jobs import job
from worker.outcome import Complete, Fail, ThrowError

NOT_FOUND = HttpError("not found", code="404")


def failures(outcome, error):
    """What is remembered of one job."""
    witness = JobWitness(CollectorRegistry(), FakeClock())
    witness.ended(job({}), TaskHeaders(), outcome, error, 0.1)
    return [(each.error, each.code, each.reason) for each in witness.failures]


def test_an_error_that_was_ignored_is_no_failure():
    """The job is done, however it was that it came to its end."""
    assert failures(Complete(b"{}"), NOT_FOUND) == []


@pytest.mark.parametrize(
    ("outcome", "error", "expected"),
    [
        (Fail(0, "said | Error variables: {}"), NOT_FOUND, ("HttpError", "404", "said")),
        (Fail(0, "said"), None, ("ErrorExpression", None, "said")),
        (ThrowError("CODE", "said"), NOT_FOUND, ("HttpError", "404", "said")),
    ],
)
def test_every_other_end_is_remembered_with_what_it_says(outcome, error, expected):
    """Also that of a job that got its answer and was failed by its error expression."""
    assert failures(outcome, error) == [expected]
