"""Jobs: made by elements, given to workers, and finished, failed or handed on by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from devstack.engine import blanks, values
from devstack.engine.errors_thrown import ErrorCatcher
from devstack.engine.failure import ElementFailure
from devstack.engine.incidents import Incidents
from devstack.engine.lifecycle import Lifecycle
from devstack.engine.partition import Partition
from devstack.engine.state import ElementInstance, Job, JobState
from devstack.engine.variables import Variables, as_object, as_text, seen
from devstack.errors import (
    CommandRejectedError,
    InvalidArgumentError,
    InvalidStateError,
    NotFoundError,
)

MAX_ERROR_MESSAGE_CHARS = 10_000
"""Longer messages are cut and end in `...`, as Zeebe does."""

_ENVELOPE_BYTES = 1024
"""What a job's own fields take in a message at most, headers left out."""

_WITH_WORKER = frozenset({JobState.ACTIVATABLE, JobState.ACTIVATED})
_ANY = frozenset(JobState)


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


class Jobs:
    """The jobs of one partition."""

    def __init__(
        self,
        partition: Partition,
        lifecycle: Lifecycle,
        incidents: Incidents,
        variables: Variables,
        catcher: ErrorCatcher,
    ) -> None:
        self._partition = partition
        self._lifecycle = lifecycle
        self._incidents = incidents
        self._variables = variables
        self._catcher = catcher

    def create(
        self,
        instance: ElementInstance,
        type: str,
        retries: int,
        headers: Mapping[str, str],
    ) -> None:
        """Make the job of an element that is being activated."""
        job = Job(self._partition.keys.next(), type, instance, headers, retries)
        self._partition.state.jobs[job.key] = job
        instance.job_key = job.key
        self._record("CREATED", job)
        self._partition.offer(job)

    def cancel(self, instance: ElementInstance) -> None:
        """Take back the job of an element that is cut short; it need not have one."""
        job = self._partition.state.jobs.get(instance.job_key)
        if job is not None:
            self._record("CANCELED", job)
            self._forget(job)

    def activate(self, request: JobRequest, limit: int, max_bytes: int) -> list[ActivatedJob]:
        """Give out up to `limit` jobs of at most `max_bytes` in all, oldest first.

        A job that is larger than `max_bytes` alone gets an incident instead.
        """
        return self._activate(self._waiting(request, limit), request, max_bytes)

    def activate_one(self, key: int, request: JobRequest, max_bytes: int) -> ActivatedJob | None:
        """Give out this job, when it waits and is of the type and of a tenant asked for."""
        job = self._partition.state.jobs.get(key)
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
        job = self._partition.state.jobs.get(key)
        if job is not None and job.state is JobState.ACTIVATED:
            self._partition.writer.command("JOB", "YIELD", key, values.job(job))
            self._take_back(job)
            self._record("YIELDED", job)
            self._make_activatable(job)

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
        self._set_deadline(job, request.timeout_ms)
        return ActivatedJob(job, job.retries, job.deadline_ms, job.worker, variables)

    def _set_deadline(self, job: Job, timeout_ms: int) -> None:
        if job.alarm is not None:
            job.alarm.cancel()
        job.deadline_ms = self._partition.clock.now_ms() + timeout_ms
        job.alarm = self._partition.schedule.at(job.deadline_ms, partial(self._time_out, job))

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
            f"The job with key '{job.key}' takes {size_bytes} bytes and cannot be given out: a "
            f"message holds at most {max_bytes}. Fetch fewer variables or make them smaller."
        )
        self._incidents.raise_for_job(job, "MESSAGE_SIZE_EXCEEDED", message)

    def complete(self, key: int, variables: Mapping[str, Any]) -> None:
        """The work is done; the element goes on with `variables`."""
        job = self._command("COMPLETE", "complete", key, variables, _WITH_WORKER)
        self._record("COMPLETED", job, variables)
        self._forget(job)
        job.instance.event_variables = variables or None
        self._lifecycle.complete_later(job.instance)

    def fail(
        self,
        key: int,
        retries: int,
        message: str,
        backoff_ms: int,
        variables: Mapping[str, Any],
    ) -> None:
        """The work failed: try again, now or after `backoff_ms`, or raise an incident."""
        job = self._command("FAIL", "fail", key, variables, _WITH_WORKER)
        self._take_back(job)
        job.retries = retries
        job.error_message = _cut(message)
        job.retry_backoff_ms = backoff_ms
        job.state = JobState.FAILED
        if retries > 0 and backoff_ms > 0:
            job.recurring_time_ms = self._partition.clock.now_ms() + backoff_ms
        self._record("FAILED", job, variables)
        self._variables.set_local(job.instance, variables)
        if retries <= 0:
            self._incidents.raise_for_job(job, "JOB_NO_RETRIES", message or "No more retries left.")
        elif backoff_ms > 0:
            recur = partial(self._recur, job)
            job.alarm = self._partition.schedule.at(job.recurring_time_ms, recur)
        else:
            self._make_activatable(job)

    def throw_error(
        self,
        key: int,
        code: str,
        message: str,
        variables: Mapping[str, Any],
    ) -> None:
        """The work ended in a BPMN error; an incident is raised when nothing catches it."""
        job = self._command("THROW_ERROR", "throw an error for", key, variables, _WITH_WORKER)
        self._take_back(job)
        job.error_code = code
        job.error_message = _cut(message)
        try:
            host, event = self._catcher.find(job.instance, code, job.error_message)
        except ElementFailure as failure:
            job.state = JobState.ERROR_THROWN
            self._record("ERROR_THROWN", job, variables)
            self._incidents.raise_for_job(job, failure.error_type, failure.message)
            return
        self._record("ERROR_THROWN", job, variables)
        self._forget(job)
        self._catcher.interrupt(host, event, variables)

    def update_retries(self, key: int, retries: int) -> None:
        """Give a job more tries; its incident is resolved by a command of its own."""
        job = self._command("UPDATE_RETRIES", "update", key, {}, _ANY)
        if retries < 1:
            reason = (
                f"Expected to update retries for job with key '{key}' with a positive amount of "
                f"retries, but the amount given was '{retries}'"
            )
            raise self._rejected(job, InvalidArgumentError("UPDATE_RETRIES", reason))
        job.retries = retries
        self._record("RETRIES_UPDATED", job)

    def update_timeout(self, key: int, timeout_ms: int) -> None:
        """Let a worker keep a job until `timeout_ms` from now."""
        job = self._command("UPDATE_TIMEOUT", "update", key, {}, _ANY)
        if job.state is not JobState.ACTIVATED:
            reason = f"Expected to update the timeout of job with key '{key}', but it is not active"
            raise self._rejected(job, InvalidStateError("UPDATE_TIMEOUT", reason))
        job.timeout_ms = timeout_ms
        self._set_deadline(job, timeout_ms)
        self._record("TIMEOUT_UPDATED", job)

    def _time_out(self, job: Job) -> None:
        self._partition.writer.command("JOB", "TIME_OUT", job.key, values.job(job))
        self._record("TIMED_OUT", job)
        self._make_activatable(job)

    def _recur(self, job: Job) -> None:
        self._partition.writer.command("JOB", "RECUR_AFTER_BACKOFF", job.key, values.job(job))
        job.recurring_time_ms = -1
        self._record("RECURRED_AFTER_BACKOFF", job)
        self._make_activatable(job)

    def _make_activatable(self, job: Job) -> None:
        job.alarm = None
        job.state = JobState.ACTIVATABLE
        self._partition.offer(job)

    def _command(
        self,
        intent: str,
        to_do: str,
        key: int,
        variables: Mapping[str, Any],
        allowed: frozenset[JobState],
    ) -> Job:
        """Record a command about a job and find the job.

        Raises:
            NotFoundError: There is no such job, or not any more.
            InvalidStateError: The job's state does not allow it.
        """
        job = self._partition.state.jobs.get(key)
        value = blanks.JOB if job is None else values.job(job, variables)
        self._partition.writer.command("JOB", intent, key, value)
        if job is None:
            reason = f"Expected to {to_do} job with key '{key}', but no such job was found"
            missing = NotFoundError(intent, reason)
            self._partition.writer.rejection("JOB", key, value, missing)
            raise missing
        if job.state not in allowed:
            reason = (
                f"Expected to {to_do} job with key '{key}', but it is in state '{job.state.value}'"
            )
            raise self._rejected(job, InvalidStateError(intent, reason))
        return job

    def _rejected(self, job: Job, error: CommandRejectedError) -> CommandRejectedError:
        self._partition.writer.rejection("JOB", job.key, values.job(job), error)
        return error

    def _take_back(self, job: Job) -> None:
        self._partition.withdraw(job)
        if job.alarm is not None:
            job.alarm.cancel()
            job.alarm = None

    def _forget(self, job: Job) -> None:
        self._take_back(job)
        del self._partition.state.jobs[job.key]
        job.instance.job_key = 0

    def _record(
        self,
        intent: str,
        job: Job,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        value = values.job(job, variables)
        self._partition.writer.event("JOB", intent, job.key, value)


def _headers_bytes(job: Job) -> int:
    return sum(len(name.encode()) + len(value.encode()) + 8 for name, value in job.headers.items())


def _cut(message: str) -> str:
    if len(message) <= MAX_ERROR_MESSAGE_CHARS:
        return message
    return message[:MAX_ERROR_MESSAGE_CHARS] + "..."
