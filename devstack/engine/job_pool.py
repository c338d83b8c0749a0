"""The jobs of a partition while they live: made, offered to workers, timed, forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from devstack.engine import values
from devstack.engine.partition import Partition
from devstack.engine.state import ElementInstance, Job, JobState, Transition

_LATEST_MS = (1 << 63) - 1
"""Records and messages hold 64-bit times; a time-out beyond that is as good as none."""


class JobPool:
    """Keeps the jobs of one partition and tells each change of them by a record."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    def create(
        self,
        instance: ElementInstance,
        type: str,
        retries: int,
        headers: Mapping[str, str],
        *,
        transition: Transition | None = None,
    ) -> None:
        """Make the job of an element that is being activated, or of a listener of its user task."""
        key = self._partition.keys.next()
        job = Job(key, type, instance, headers, retries, transition=transition)
        self._partition.state.jobs[job.key] = job
        instance.job_key = job.key
        self.record("CREATED", job)
        self._partition.offer(job)

    def cancel(self, instance: ElementInstance) -> None:
        """Take back the job of an element that is cut short; it need not have one."""
        job = self._partition.state.jobs.get(instance.job_key)
        if job is not None:
            self.record("CANCELED", job)
            self.forget(job)

    def get(self, key: int) -> Job | None:
        """The job with this key, if it is not done."""
        return self._partition.state.jobs.get(key)

    def set_deadline(self, job: Job, timeout_ms: int) -> None:
        """Let a worker have a job for `timeout_ms`; after that another one gets it."""
        if job.alarm is not None:
            job.alarm.cancel()
        job.deadline_ms = min(self._partition.clock.now_ms() + timeout_ms, _LATEST_MS)
        job.alarm = self._partition.schedule.at(job.deadline_ms, partial(self._time_out, job))

    def hold_back(self, job: Job, backoff_ms: int) -> None:
        """Offer a failed job again only after `backoff_ms`; `recurring_time_ms` says when."""
        job.recurring_time_ms = min(self._partition.clock.now_ms() + backoff_ms, _LATEST_MS)
        recur = partial(self._recur, job)
        job.alarm = self._partition.schedule.at(job.recurring_time_ms, recur)

    def _time_out(self, job: Job) -> None:
        self._partition.writer.command("JOB", "TIME_OUT", job.key, values.job(job))
        self.record("TIMED_OUT", job)
        self.make_activatable(job)

    def _recur(self, job: Job) -> None:
        self._partition.writer.command("JOB", "RECUR_AFTER_BACKOFF", job.key, values.job(job))
        job.recurring_time_ms = -1
        self.record("RECURRED_AFTER_BACKOFF", job)
        self.make_activatable(job)

    def make_activatable(self, job: Job) -> None:
        """Offer a job to the next worker."""
        job.alarm = None
        job.state = JobState.ACTIVATABLE
        self._partition.offer(job)

    def take_back(self, job: Job) -> None:
        """Offer a job no more and let no time of it pass."""
        self._partition.withdraw(job)
        if job.alarm is not None:
            job.alarm.cancel()
            job.alarm = None

    def forget(self, job: Job) -> None:
        """A job is done."""
        self.take_back(job)
        del self._partition.state.jobs[job.key]
        job.instance.job_key = 0

    def record(
        self,
        intent: str,
        job: Job,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        """Tell what has happened to a job."""
        value = values.job(job, variables)
        self._partition.writer.event("JOB", intent, job.key, value)
