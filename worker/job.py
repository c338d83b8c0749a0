from __future__ import annotations

from dataclasses import dataclass

from pyzeebe.proto.gateway_pb2 import ActivatedJob


@dataclass(frozen=True, slots=True)
class Job:
    """One activated job, as the gateway gave it.

    Attributes:
        key: The job's key, which every command names.
        type: The job type asked for.
        process_instance_key: Key of the process instance.
        bpmn_process_id: Id of the process in its BPMN file.
        process_definition_version: Version of the deployed process, from 1.
        process_definition_key: Key of the deployed process.
        element_id: Id of the service task in the BPMN file.
        element_instance_key: Key of this activation of the task.
        custom_headers_json: Task headers, a JSON object as text, not decoded.
        worker: Name of the worker that activated the job.
        retries: Tries left, this one included.
        deadline_ms: When the job goes to another worker, in milliseconds since 1970-01-01 UTC.
        variables_json: The variables asked for, a JSON object as text, not decoded.
        tenant_id: Owner of the job; `<default>` without multi-tenancy.
    """

    key: int
    type: str
    process_instance_key: int
    bpmn_process_id: str
    process_definition_version: int
    process_definition_key: int
    element_id: str
    element_instance_key: int
    custom_headers_json: str
    worker: str
    retries: int
    deadline_ms: int
    variables_json: str
    tenant_id: str


def from_activated(job: ActivatedJob) -> Job:
    """The job in our words; JSON text stays text, because only a handler knows what it needs."""
    # Positional: one call a job on the hot path, and names would cost a third more.
    return Job(
        job.key,
        job.type,
        job.processInstanceKey,
        job.bpmnProcessId,
        job.processDefinitionVersion,
        job.processDefinitionKey,
        job.elementId,
        job.elementInstanceKey,
        job.customHeaders,
        job.worker,
        job.retries,
        job.deadline,
        job.variables,
        job.tenantId,
    )


def log_fields(job: Job) -> dict[str, str | int]:
    """The fields of a job that a log may hold: never its variables or headers."""
    return {
        "job_key": job.key,
        "job_type": job.type,
        "process_id": job.bpmn_process_id,
        "process_instance_key": job.process_instance_key,
        "element_id": job.element_id,
    }
