"""Giving jobs to workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from devstack.engine import values
from devstack.engine.failure import ErrorType
from devstack.engine.incidents import Incidents
from devstack.engine.job_pool import JobPool
from devstack.engine.partition import Partition
from devstack.engine.state import Job, JobState
from devstack.engine.variables import as_object, as_text, seen
from devstack.errors import InvalidArgumentError

_ENVELOPE_BYTES = 1024
"""What a job's own fields take in a message at most, headers left out."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a worker asks for; `fetch_variables` empty means all."""

    type: str
    worker: str
    timeout_ms: int
    max_jobs: int
    fetch_variables: frozenset[str] = frozenset()
    tenant_ids: tuple[str, ...] = ("<default>",)

    def check(self) -> None:
        """Refuse a request that can get no jobs.

        Raises:
            InvalidArgumentError: Type or worker is blank, or a number is not positive.
        """
        for name, is_right, expected, found in (
            ("max jobs to activate", self.max_jobs > 0, "greater than zero", f"'{self.max_jobs}'"),
            ("timeout", self.timeout_ms > 0, "greater than zero", f"'{self.timeout_ms}'"),
            ("type", bool(self.type.strip()), "present", "blank"),
            ("worker", bool(self.worker.strip()), "present", "blank"),
        ):
            if not is_right:
                wanted = f"Expected to activate job batch with {name} to be {expected}"
                raise InvalidArgumentError("ACTIVATE", f"{wanted}, but it was {found}")


@dataclass(frozen=True, slots=True)
class ActivatedJob:
    """A job as a worker gets it; `variables` is the text of a JSON object."""

    job: Job
    retries: int
    deadline_ms: int
    worker: str
    variables: str


class JobActivation:
    """Gives out one partition's jobs, oldest first, as many as a message holds."""

    def __init__(self, partition: Partition, pool: JobPool, incidents: Incidents) -> None:
        self._partition = partition
        self._pool = pool
        self._incidents = incidents

    def activate(self, request: JobRequest, limit: int, max_bytes: int) -> list[ActivatedJob]:
        """Give out up to `limit` jobs of at most `max_bytes` in all, oldest first.

        A job that is larger than `max_bytes` alone gets an incident instead.
        """
        return self._activate(self._waiting(request, limit), request, max_bytes)

    def activate_one(self, key: int, request: JobRequest, max_bytes: int) -> ActivatedJob | None:
        """Give out this job, when it waits and is of the type and of a tenant asked for."""
        job = self._pool.get(key)
        if (
            job is None
            or job.state is not JobState.ACTIVATABLE
            or job.type != request.type
            or job.instance.definition.tenant_id not in request.tenant_ids
        ):
            return None
        given = self._activate([job], request, max_bytes)
        return given[0] if given else None

    def hand_back(self, key: int) -> None:
        """Offer a job again that did not reach its worker; it need not exist any more."""
        job = self._pool.get(key)
        if job is not None and job.state is JobState.ACTIVATED:
            self._partition.writer.command("JOB", "YIELD", key, values.job(job))
            self._pool.take_back(job)
            self._pool.record("YIELDED", job)
            self._pool.make_activatable(job)

    def _activate(
        self,
        jobs: Sequence[Job],
        request: JobRequest,
        max_bytes: int,
    ) -> list[ActivatedJob]:
        given: list[ActivatedJob] = []
        documents: list[Mapping[str, Any]] = []
        room_bytes = max_bytes
        for job in jobs:
            variables = seen(job.instance, request.fetch_variables)
            text = as_text(variables)
            size_bytes = len(text.encode()) + _headers_bytes(job) + _ENVELOPE_BYTES
            if size_bytes > max_bytes:
                self._too_large(job, size_bytes, max_bytes)
            elif size_bytes > room_bytes:
                break
            else:
                room_bytes -= size_bytes
                given.append(self._give(job, request, text))
                documents.append(as_object(variables))
        if given:
            self._record_batch(request, given, documents)
        return given

    def _waiting(self, request: JobRequest, limit: int) -> list[Job]:
        jobs: list[Job] = []
        for tenant_id in request.tenant_ids:
            pool = self._partition.state.activatable.get((request.type, tenant_id), {})
            jobs.extend(islice(pool.values(), limit - len(jobs)))
        return jobs

    def _give(self, job: Job, request: JobRequest, variables: str) -> ActivatedJob:
        self._partition.withdraw(job)
        job.state = JobState.ACTIVATED
        job.worker = request.worker
        job.timeout_ms = request.timeout_ms
        self._pool.set_deadline(job, request.timeout_ms)
        return ActivatedJob(job, job.retries, job.deadline_ms, job.worker, variables)

    def _record_batch(
        self,
        request: JobRequest,
        given: list[ActivatedJob],
        documents: list[Mapping[str, Any]],
    ) -> None:
        batch = {
            "type": request.type,
            "worker": request.worker,
            "timeout": request.timeout_ms,
            "maxJobsToActivate": request.max_jobs,
            "jobKeys": [each.job.key for each in given],
            "jobs": [
                values.job(each.job, document)
                for each, document in zip(given, documents, strict=True)
            ],
            "variables": sorted(request.fetch_variables),
            "truncated": False,
            "tenantIds": list(request.tenant_ids),
        }
        key = self._partition.keys.next()
        self._partition.writer.command(
            "JOB_BATCH", "ACTIVATE", -1, {**batch, "jobKeys": [], "jobs": []}
        )
        self._partition.writer.event("JOB_BATCH", "ACTIVATED", key, batch)

    def _too_large(self, job: Job, size_bytes: int, max_bytes: int) -> None:
        self._partition.withdraw(job)
        job.state = JobState.FAILED
        message = (
            f"The job with key '{job.key}' can not be activated, because with {size_bytes} bytes "
            f"it is larger than the configured message size ({max_bytes} bytes). Try to reduce the "
            "size by reducing the number of fetched variables or modifying the variable values."
        )
        self._incidents.raise_for_job(job, ErrorType.MESSAGE_SIZE_EXCEEDED, message)


def _headers_bytes(job: Job) -> int:
    return sum(len(name.encode()) + len(value.encode()) + 8 for name, value in job.headers.items())
