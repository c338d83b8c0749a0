"""What workers say about their jobs: done, failed, ended in a BPMN error, to be kept longer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devstack.engine import blanks, values
from devstack.engine.errors_thrown import ErrorCatcher
from devstack.engine.failure import ElementFailure, ErrorType
from devstack.engine.incidents import Incidents
from devstack.engine.job_pool import JobPool
from devstack.engine.lifecycle import Lifecycle
from devstack.engine.partition import Partition
from devstack.engine.state import Job, JobState
from devstack.engine.task_listeners import TaskListeners
from devstack.engine.variables import Variables
from devstack.errors import (
    CommandRejectedError,
    InvalidArgumentError,
    InvalidStateError,
    NotFoundError,
)

MAX_ERROR_MESSAGE_CHARS = 10_000
"""Longer messages are cut and end in `...`, as Zeebe does."""

_NO_RETRIES = "No more retries left."
_WITH_WORKER = frozenset({JobState.ACTIVATABLE, JobState.ACTIVATED})
_ANY = frozenset(JobState)


class Jobs:
    """Carries out the commands about one partition's jobs."""

    def __init__(
        self,
        *,
        partition: Partition,
        lifecycle: Lifecycle,
        incidents: Incidents,
        variables: Variables,
        pool: JobPool,
        catcher: ErrorCatcher,
        listeners: TaskListeners,
    ) -> None:
        self._partition = partition
        self._lifecycle = lifecycle
        self._incidents = incidents
        self._variables = variables
        self._pool = pool
        self._catcher = catcher
        self._listeners = listeners

    def complete(
        self, key: int, variables: Mapping[str, Any], result: Mapping[str, Any] | None = None
    ) -> None:
        """The work is done; the element goes on with `variables`, a user task with its change."""
        job = self._command("COMPLETE", "complete", key, variables, _WITH_WORKER)
        try:
            self._listeners.check(job, variables, result or {})
        except InvalidArgumentError as error:
            raise self._rejected(job, error) from error
        self._pool.record("COMPLETED", job, variables)
        self._pool.forget(job)
        if job.transition is not None:
            self._listeners.completed(job, result or {})
            return
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
        self._pool.take_back(job)
        job.retries = retries
        job.error_message = _cut(message)
        job.retry_backoff_ms = backoff_ms
        job.state = JobState.FAILED
        if retries > 0 and backoff_ms > 0:
            self._pool.hold_back(job, backoff_ms)
        self._pool.record("FAILED", job, variables)
        self._variables.set_local(job.instance, variables)
        if retries <= 0:
            kind = ErrorType.JOB_NO_RETRIES
            if job.transition is not None:
                kind = ErrorType.TASK_LISTENER_NO_RETRIES
            self._incidents.raise_for_job(job, kind, job.error_message or _NO_RETRIES)
        elif backoff_ms <= 0:
            self._pool.make_activatable(job)

    def throw_error(
        self,
        key: int,
        code: str,
        message: str,
        variables: Mapping[str, Any],
    ) -> None:
        """The work ended in a BPMN error; an incident is raised when nothing catches it."""
        job = self._command("THROW_ERROR", "throw an error for", key, variables, _WITH_WORKER)
        if job.transition is not None:
            reason = (
                f"Cannot throw BPMN error from TASK_LISTENER job with key '{key}', type "
                f"'{job.type}' and processInstanceKey '{job.instance.process_instance_key}'"
            )
            raise self._rejected(job, InvalidStateError("THROW_ERROR", reason))
        self._pool.take_back(job)
        job.error_code = code
        job.error_message = _cut(message)
        try:
            host, event = self._catcher.find(job.instance, code, job.error_message)
        except ElementFailure as failure:
            job.state = JobState.ERROR_THROWN
            self._pool.record("ERROR_THROWN", job, variables)
            self._incidents.raise_for_job(job, failure.error_type, failure.message)
            return
        self._pool.record("ERROR_THROWN", job, variables)
        self._pool.forget(job)
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
        self._pool.record("RETRIES_UPDATED", job)

    def update_timeout(self, key: int, timeout_ms: int) -> None:
        """Let a worker keep a job until `timeout_ms` from now."""
        job = self._command("UPDATE_TIMEOUT", "update", key, {}, _ANY)
        if job.state is not JobState.ACTIVATED:
            reason = f"Expected to update the timeout of job with key '{key}', but it is not active"
            raise self._rejected(job, InvalidStateError("UPDATE_TIMEOUT", reason))
        job.timeout_ms = timeout_ms
        self._pool.set_deadline(job, timeout_ms)
        self._pool.record("TIMEOUT_UPDATED", job)

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
        job = self._pool.get(key)
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


def _cut(message: str) -> str:
    if len(message) <= MAX_ERROR_MESSAGE_CHARS:
        return message
    return message[:MAX_ERROR_MESSAGE_CHARS] + "..."
