from __future__ import annotations

from worker.job import Job


class Deadlines:
    """When each job in hand goes to another worker: as given, or later if that was asked for.

    A `Job` is frozen and its holder can't be told, so that the gateway notes what it was granted.
    """

    def __init__(self) -> None:
        self._extended_ms: dict[int, int] = {}

    def of(self, job: Job) -> int:
        """The job's deadline in milliseconds since 1970-01-01 UTC."""
        return self._extended_ms.get(job.key, job.deadline_ms)

    def extend(self, job: Job, deadline_ms: int) -> None:
        """The gateway granted a new deadline, which may also be an earlier one."""
        self._extended_ms[job.key] = deadline_ms

    def forget(self, job: Job) -> None:
        """The job is not in hand any more."""
        self._extended_ms.pop(job.key, None)
