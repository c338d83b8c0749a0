from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from devstack.records import Record

_JOB_STATES = {
    "CREATED": "waiting",
    "TIMED_OUT": "waiting",
    "YIELDED": "waiting",
    "RECURRED_AFTER_BACKOFF": "waiting",
    "FAILED": "failed",
}
_JOB_ENDS = frozenset({"COMPLETED", "CANCELED", "ERROR_THROWN"})
_TASK_ENDS = frozenset({"COMPLETED", "CANCELED"})


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that is not done: `waiting`, `with a worker`, `failed`, or `failed for good`."""

    key: int
    state: str
    value: Mapping[str, Any]


class OpenWork:
    """The jobs and user tasks that wait, read from the record log; what is done is forgotten."""

    def __init__(self) -> None:
        self._jobs: dict[int, OpenJob] = {}
        self._user_tasks: dict[int, Mapping[str, Any]] = {}

    def read(self, record: Record) -> None:
        """Take in what a record says of a job or a user task."""
        if record.record_type != "EVENT":
            return
        match record.value_type:
            case "JOB":
                self._read_job(record)
            case "JOB_BATCH":
                self._read_batch(record)
            case "USER_TASK" if record.intent in _TASK_ENDS:
                self._user_tasks.pop(record.key, None)
            case "USER_TASK":
                self._user_tasks[record.key] = record.value
            case _:
                pass  # other records say nothing of open work

    def jobs_of(self, process_instance_key: int) -> list[OpenJob]:
        """The open jobs of a process instance, oldest first."""
        return [
            job
            for job in self._jobs.values()
            if job.value["processInstanceKey"] == process_instance_key
        ]

    def user_tasks_of(self, process_instance_key: int) -> list[Mapping[str, Any]]:
        """The open user tasks of a process instance, as USER_TASK values, oldest first."""
        return [
            task
            for task in self._user_tasks.values()
            if task["processInstanceKey"] == process_instance_key
        ]

    def _read_job(self, record: Record) -> None:
        if record.intent in _JOB_ENDS:
            self._jobs.pop(record.key, None)
            return
        known = self._jobs.get(record.key)
        state = _JOB_STATES.get(record.intent, known.state if known else "waiting")
        if state.startswith("failed"):
            state = "failed" if record.value["retries"] > 0 else "failed for good"
        self._jobs[record.key] = OpenJob(record.key, state, record.value)

    def _read_batch(self, record: Record) -> None:
        for key in record.value["jobKeys"]:
            if key in self._jobs:
                self._jobs[key] = replace(self._jobs[key], state="with a worker")
