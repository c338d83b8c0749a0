from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What a worker asks the gateway for, and how much of it at once.

    Attributes:
        job_type: The job type to work on.
        worker_name: Shown in Operate beside the job.
        fetch_variables: The only variables that the gateway sends; empty means all.
        max_jobs_active: Jobs held at once, polled and streamed together.
        job_timeout_ms: How long a job is ours before the engine gives it to another worker.
        long_poll_ms: How long the gateway holds a poll open while there is no job.
        stream_enabled: Let the gateway push jobs as they come up, beside a slow poll.
        tenant_ids: Tenants to work for; empty without multi-tenancy.
        stream_renewal_s: Life of one job stream; a new one follows at once.
        poll_beside_stream_ms: Pause between two polls that run beside a stream; they find the jobs
            that came up before the stream did.
        command_timeout_ms: How long one try of a command may take.
        stop_grace_ms: How long a poll or stream that is open when the worker stops may still bring
            jobs before it is cancelled.

    Raises:
        ValueError: A limit is out of range or contradicts another.
    """

    job_type: str
    worker_name: str
    fetch_variables: tuple[str, ...] = ()
    max_jobs_active: int = 100
    job_timeout_ms: int = 300_000
    long_poll_ms: int = 10_000
    stream_enabled: bool = False
    tenant_ids: tuple[str, ...] = ()
    stream_renewal_s: float = 3_600.0
    poll_beside_stream_ms: int = 5_000
    command_timeout_ms: int = 10_000
    stop_grace_ms: int = 500

    def __post_init__(self) -> None:
        for name in ("job_timeout_ms", "long_poll_ms", "poll_beside_stream_ms"):
            _at_least(1, name, getattr(self, name))
        for name in ("stream_renewal_s", "command_timeout_ms"):
            _at_least(0.001, name, getattr(self, name))
        _at_least(0, "stop_grace_ms", self.stop_grace_ms)
        # One slot waits for the stream's next job and would starve the poll of the only one.
        needed = 2 if self.stream_enabled else 1
        if self.max_jobs_active < needed:
            raise ValueError(
                f"max_jobs_active is {self.max_jobs_active}; it must be at least {needed}"
                + (" while stream_enabled" if self.stream_enabled else "")
            )
        if not self.job_type or not self.worker_name:
            raise ValueError("job_type and worker_name must not be empty: the gateway refuses that")


def _at_least(low: float, name: str, value: float) -> None:
    if value < low:
        raise ValueError(f"{name} is {value}; it must be at least {low}")
