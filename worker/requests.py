"""Our types as the gateway's protobuf messages, for which alone this module exists."""

from __future__ import annotations

from typing import assert_never

from pyzeebe.proto.gateway_pb2 import (
    ActivateJobsRequest,
    CompleteJobRequest,
    FailJobRequest,
    StreamActivatedJobsRequest,
    ThrowErrorRequest,
)

from worker.job import Job
from worker.options import WorkerOptions
from worker.outcome import Complete, Fail, Outcome, ThrowError

Command = CompleteJobRequest | FailJobRequest | ThrowErrorRequest


def command(job: Job, outcome: Outcome) -> Command:
    """The command that tells the gateway what became of a job.

    Raises:
        ValueError: The outcome's bytes are no UTF-8, or a number is out of range.
    """
    match outcome:
        case Complete(variables_json):
            return CompleteJobRequest(
                jobKey=job.key,
                variables=variables_json,  # type: ignore[arg-type] # protobuf takes UTF-8 bytes
            )
        case Fail(retries, message, backoff_ms, variables_json):
            return FailJobRequest(
                jobKey=job.key,
                retries=retries,
                errorMessage=message,
                retryBackOff=backoff_ms,
                variables=variables_json,  # type: ignore[arg-type] # protobuf takes UTF-8 bytes
            )
        case ThrowError(code, message, variables_json):
            return ThrowErrorRequest(
                jobKey=job.key,
                errorCode=code,
                errorMessage=message,
                variables=variables_json,  # type: ignore[arg-type] # protobuf takes UTF-8 bytes
            )
        case _:
            assert_never(outcome)


def activation(options: WorkerOptions, count: int, wait_ms: int) -> ActivateJobsRequest:
    """Ask for up to `count` jobs; with none there the answer waits `wait_ms`, negative: not."""
    return ActivateJobsRequest(
        type=options.job_type,
        worker=options.worker_name,
        timeout=options.job_timeout_ms,
        maxJobsToActivate=count,
        fetchVariable=options.fetch_variables,
        requestTimeout=wait_ms,
        tenantIds=options.tenant_ids,
    )


def job_stream(options: WorkerOptions) -> StreamActivatedJobsRequest:
    """Ask for jobs to be pushed as they come up."""
    return StreamActivatedJobsRequest(
        type=options.job_type,
        worker=options.worker_name,
        timeout=options.job_timeout_ms,
        fetchVariable=options.fetch_variables,
        tenantIds=options.tenant_ids,
    )
