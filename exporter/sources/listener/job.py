from __future__ import annotations

from types import MappingProxyType
from typing import Any

import msgspec

from exporter.record import ILLEGIBLE

_KEY_BITS = 51
_RESERVED = "io.camunda.zeebe:"

INTENTS = MappingProxyType(
    {
        "CREATING": "CREATED",
        "ASSIGNING": "ASSIGNED",
        "UPDATING": "UPDATED",
        "COMPLETING": "COMPLETED",
        "CANCELING": "CANCELED",
    }
)
"""The intent that a record has after the change, by the event that a listener is told before it."""


class UserTask(msgspec.Struct, frozen=True, rename="camel"):
    """The task that a listener is told of; what it has not is null."""

    user_task_key: str | None = None
    assignee: str | None = None
    candidate_groups: list[str] | None = None
    candidate_users: list[str] | None = None
    changed_attributes: list[str] | None = None
    action: str | None = None
    due_date: str | None = None
    follow_up_date: str | None = None
    form_key: str | None = None
    priority: int | None = None


class Job(msgspec.Struct, frozen=True, rename="camel"):
    """A job as `POST /v2/jobs/activation` gives it; keys are text, and much may be null.

    Only its own key is required: a job without it could not even be given back.
    """

    job_key: str
    retries: int | None = None
    process_instance_key: str | None = None
    process_definition_key: str | None = None
    process_definition_id: str | None = None
    process_definition_version: int | None = None
    element_id: str | None = None
    element_instance_key: str | None = None
    tenant_id: str | None = None
    custom_headers: dict[str, Any] | None = None
    tags: list[str] | None = None
    kind: str | None = None
    listener_event_type: str | None = None
    user_task: UserTask | None = None

    @property
    def key(self) -> int:
        """The job's key as a number."""
        return int(self.job_key)

    @property
    def partition_id(self) -> int:
        """The partition that the job is of; its key says so."""
        return self.key >> _KEY_BITS

    @property
    def is_of_listener(self) -> bool:
        """Whether it tells of a user task's change."""
        return (
            self.kind == "TASK_LISTENER"
            and self.user_task is not None
            and self.user_task.user_task_key is not None
            and self.listener_event_type in INTENTS
        )


class _Bare(msgspec.Struct, frozen=True, rename="camel"):
    """What it takes to give a job back."""

    job_key: str
    retries: int | None = None


_read = msgspec.json.Decoder(Job).decode
_read_bare = msgspec.json.Decoder(_Bare).decode


def read_job(raw: msgspec.Raw) -> Job:
    """A job out of an answer; one whose fields are not what they should be is of no listener.

    Raises:
        msgspec.DecodeError: It has not even a key.
    """
    try:
        return _read(raw)
    except ILLEGIBLE:
        bare = _read_bare(raw)
        return Job(bare.job_key, bare.retries)


def record_of(job: Job, now_ms: int) -> bytes:
    """The record of the change that a job announces, without a position.

    A job does not tell when its task was created. For a task that is being created that is now,
    for others the record says null.

    Args:
        job: Of a listener.
        now_ms: Wall-clock time.
    """
    task = job.user_task
    if task is None or task.user_task_key is None or job.listener_event_type is None:
        raise TypeError("only a listener's job has a record")
    creating = job.listener_event_type == "CREATING"
    value = {
        "userTaskKey": int(task.user_task_key),
        "assignee": task.assignee or "",
        "candidateGroupsList": task.candidate_groups or [],
        "candidateUsersList": task.candidate_users or [],
        "changedAttributes": task.changed_attributes or [],
        "dueDate": task.due_date or "",
        "followUpDate": task.follow_up_date or "",
        "formKey": _number(task.form_key),
        "action": task.action or "",
        "priority": 50 if task.priority is None else task.priority,
        "creationTimestamp": now_ms if creating else None,
        "elementId": job.element_id,
        "elementInstanceKey": _number(job.element_instance_key),
        "bpmnProcessId": job.process_definition_id,
        "processDefinitionVersion": job.process_definition_version,
        "processDefinitionKey": _number(job.process_definition_key),
        "processInstanceKey": _number(job.process_instance_key),
        "customHeaders": _own(job.custom_headers or {}),
        "tags": job.tags or [],
        "tenantId": job.tenant_id or "<default>",
    }
    record = {
        "partitionId": job.partition_id,
        "key": int(task.user_task_key),
        "timestamp": now_ms,
        "recordType": "EVENT",
        "valueType": "USER_TASK",
        "intent": INTENTS[job.listener_event_type],
        "jobKey": job.key,
        "value": value,
    }
    return msgspec.json.encode(record)


def positioned(record: bytes, position: int) -> bytes:
    """A record of `record_of` with its position, which is its place in the inbox."""
    return b'{"position":%d,%b' % (position, record[1:])


def _number(key: str | None) -> int:
    """A key as a number; -1 when there is none, as in records."""
    return int(key) if key else -1


def _own(headers: dict[str, Any]) -> dict[str, Any]:
    """The task's own headers: the engine adds some to tell of the task."""
    return {name: each for name, each in headers.items() if not name.startswith(_RESERVED)}
