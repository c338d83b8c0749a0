"""The values of the records, with Zeebe's own field names.

Where a field is not known here it has Zeebe's default: empty text, empty list, -1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from devstack.bpmn import model
from devstack.engine import blanks
from devstack.engine.definitions import Definition, Wanted
from devstack.engine.failure import ErrorType
from devstack.engine.state import ElementInstance, Job, Timer, Variable

Value = dict[str, Any]


def scopes(instance: ElementInstance) -> Iterator[ElementInstance]:
    """The instance and the scopes around it, up to its process instance."""
    current: ElementInstance | None = instance
    while current is not None:
        yield current
        current = current.scope


def process_root(instance: ElementInstance) -> ElementInstance:
    """The process instance that the element instance belongs to."""
    *_, root = scopes(instance)
    return root


def tree_path(instance: ElementInstance) -> Value:
    """Where an instance stands, from the topmost process instance down."""
    instance_path: list[list[int]] = []
    definition_path: list[int] = []
    calling_path: list[int] = []
    current: ElementInstance | None = instance
    while current is not None:
        chain = list(scopes(current))
        instance_path.insert(0, [each.key for each in reversed(chain)])
        definition_path.insert(0, current.definition.key)
        current = chain[-1].caller
        if current is not None and isinstance(current.element, model.CallActivity):
            calling_path.insert(0, current.element.index)
    return {
        "elementInstancePath": instance_path,
        "processDefinitionPath": definition_path,
        "callingElementPath": calling_path,
    }


def process_instance(instance: ElementInstance) -> Value:
    """The value of an element instance's commands and of its first event, without its tree path."""
    caller = process_root(instance).caller
    scope = instance.scope
    return {
        **blanks.PROCESS_INSTANCE,
        "bpmnProcessId": instance.definition.process_id,
        "version": instance.definition.version,
        "tenantId": instance.definition.tenant_id,
        "processDefinitionKey": instance.definition.key,
        "processInstanceKey": instance.process_instance_key,
        "elementId": instance.element.id,
        "flowScopeKey": scope.key if scope is not None else -1,
        "bpmnElementType": instance.element.type,
        "bpmnEventType": instance.element.event_type,
        "parentProcessInstanceKey": caller.process_instance_key if caller is not None else -1,
        "parentElementInstanceKey": caller.key if caller is not None else -1,
        "rootProcessInstanceKey": instance.root_key,
    }


def sequence_flow(instance: ElementInstance, flow: model.SequenceFlow) -> Value:
    """The value of SEQUENCE_FLOW_TAKEN out of `instance`."""
    return instance.value | {
        "elementId": flow.id,
        "bpmnElementType": "SEQUENCE_FLOW",
        "bpmnEventType": "UNSPECIFIED",
        "elementInstancePath": [],
        "processDefinitionPath": [],
        "callingElementPath": [],
    }


def job(job: Job, variables: Mapping[str, Any] | None = None) -> Value:
    """The value of a job's events; `variables` are those of a command or of an activation."""
    instance = job.instance
    return {
        **blanks.JOB,
        "type": job.type,
        "elementId": instance.element.id,
        "elementInstanceKey": instance.key,
        "bpmnProcessId": instance.definition.process_id,
        "processDefinitionVersion": instance.definition.version,
        "processInstanceKey": instance.process_instance_key,
        "processDefinitionKey": instance.definition.key,
        "customHeaders": job.headers,
        "worker": job.worker,
        "retries": job.retries,
        "retryBackoff": job.retry_backoff_ms,
        "recurringTime": job.recurring_time_ms,
        "deadline": job.deadline_ms,
        "timeout": job.timeout_ms,
        "variables": variables if variables is not None else {},
        "errorMessage": job.error_message,
        "errorCode": job.error_code,
        "tenantId": instance.definition.tenant_id,
        "rootProcessInstanceKey": instance.root_key,
        **_listener(job),
    }


def _listener(job: Job) -> Value:
    if job.transition is None:
        return {}
    return {
        "jobKind": "TASK_LISTENER",
        "jobListenerEventType": job.transition.event.upper(),
        "changedAttributes": job.transition.task.value["changedAttributes"],
    }


def variable(scope: ElementInstance, name: str, variable: Variable) -> Value:
    """The value of VARIABLE CREATED and UPDATED; its own `value` is JSON text."""
    return {
        "name": name,
        "value": variable.text,
        "scopeKey": scope.key,
        "processInstanceKey": scope.process_instance_key,
        "processDefinitionKey": scope.definition.key,
        "bpmnProcessId": scope.definition.process_id,
        "tenantId": scope.definition.tenant_id,
        "rootProcessInstanceKey": scope.root_key,
    }


def incident(
    instance: ElementInstance,
    error_type: ErrorType,
    message: str,
    job_key: int,
) -> Value:
    """The value of INCIDENT CREATED and RESOLVED."""
    return {
        "errorType": error_type.value,
        "errorMessage": message,
        "bpmnProcessId": instance.definition.process_id,
        "processDefinitionKey": instance.definition.key,
        "processInstanceKey": instance.process_instance_key,
        "elementId": instance.element.id,
        "elementInstanceKey": instance.key,
        "jobKey": job_key or -1,
        "variableScopeKey": instance.key,
        "tenantId": instance.definition.tenant_id,
        **tree_path(instance),
        "rootProcessInstanceKey": instance.root_key,
    }


def timer(timer: Timer) -> Value:
    """The value of a timer's events; keys are -1 for the timer of a start event."""
    instance = timer.instance
    return {
        "elementInstanceKey": instance.key if instance is not None else -1,
        "processInstanceKey": instance.process_instance_key if instance is not None else -1,
        "dueDate": timer.due_ms,
        "targetElementId": timer.element.id,
        "repetitions": timer.repetitions,
        "processDefinitionKey": timer.definition.key,
        "tenantId": timer.definition.tenant_id,
    }


def creation(
    definition: Definition,
    process_instance_key: int,
    variables: Mapping[str, Any],
) -> Value:
    """The value of PROCESS_INSTANCE_CREATION CREATED."""
    return {
        **blanks.PROCESS_INSTANCE_CREATION,
        "bpmnProcessId": definition.process_id,
        "version": definition.version,
        "tenantId": definition.tenant_id,
        "variables": variables,
        "processDefinitionKey": definition.key,
        "processInstanceKey": process_instance_key,
    }


def creation_of(wanted: Wanted, variables: Mapping[str, Any]) -> Value:
    """The value of the command to create an instance, as the client gave it."""
    return {
        **blanks.PROCESS_INSTANCE_CREATION,
        "bpmnProcessId": wanted.process_id,
        "version": wanted.version,
        "tenantId": wanted.tenant_id,
        "variables": variables,
        "processDefinitionKey": wanted.definition_key or -1,
    }
