from __future__ import annotations

import pytest

from worker.options import WorkerOptions


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"job_type": ""}, "job_type"),
        ({"worker_name": ""}, "worker_name"),
        ({"max_jobs_active": 0}, "max_jobs_active"),
        ({"max_jobs_active": 1, "stream_enabled": True}, "stream_enabled"),
        ({"job_timeout_ms": 0}, "job_timeout_ms"),
        ({"long_poll_ms": 0}, "long_poll_ms"),
        ({"poll_beside_stream_ms": 0}, "poll_beside_stream_ms"),
        ({"command_timeout_ms": 0}, "command_timeout_ms"),
        ({"stream_renewal_s": 0.0}, "stream_renewal_s"),
        ({"stop_grace_ms": -1}, "stop_grace_ms"),
    ],
)
def test_a_limit_out_of_range_is_named(change, named):
    """Options that the gateway or the loop could not live with are refused, by name."""
    with pytest.raises(ValueError, match=named):
        WorkerOptions(**({"job_type": "demo", "worker_name": "me"} | change))


def test_the_least_that_works_is_taken():
    """The bounds themselves are allowed."""
    options = WorkerOptions("demo", "me", max_jobs_active=1, stop_grace_ms=0, job_timeout_ms=1)
    assert options.max_jobs_active == 1
