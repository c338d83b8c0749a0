"""BPMN as the engine runs it: one frozen type for each kind of element.

A process is a flat table of elements; nesting is told by `scope_id`. An attribute that may hold
FEEL is an `Expression`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from devstack.bpmn.expression import Expression
from devstack.bpmn.timers import TimerDefinition


@dataclass(frozen=True, slots=True)
class SequenceFlow:
    """An arrow from one element to another; `condition` counts after an exclusive gateway."""

    id: str
    source_id: str
    target_id: str
    condition: Expression | None = None


@dataclass(frozen=True, slots=True)
class VariableMapping:
    """One `zeebe:input` or `zeebe:output`; `target` is a path such as `("input", "filter")`."""

    source: Expression
    target: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FormReference:
    """A form by its id; `binding` is `latest`, `deployment` or `versionTag`."""

    form_id: Expression
    binding: str
    version_tag: str


@dataclass(frozen=True, slots=True)
class Loop:
    """How often a multi-instance activity runs: once for each item of `input_collection`."""

    sequential: bool
    input_collection: Expression
    input_element: str | None
    output_collection: str | None
    output_element: Expression | None
    completion_condition: Expression | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """What every element has; `type` and `event_type` are Zeebe's names for its records."""

    type: ClassVar[str]
    event_type: ClassVar[str] = "UNSPECIFIED"

    id: str
    name: str = ""
    scope_id: str = ""
    """Id of the process or sub-process around it; empty for the process itself."""
    incoming: tuple[str, ...] = ()
    outgoing: tuple[SequenceFlow, ...] = ()
    inputs: tuple[VariableMapping, ...] = ()
    outputs: tuple[VariableMapping, ...] = ()
    boundary_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoneStartEvent(Element):
    """Where a process or sub-process begins."""

    type = "START_EVENT"
    event_type = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerStartEvent(Element):
    """Starts an instance when its time has come."""

    type = "START_EVENT"
    event_type = "TIMER"
    timer: TimerDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class NoneEndEvent(Element):
    """Ends one path."""

    type = "END_EVENT"
    event_type = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEndEvent(Element):
    """Ends one path by throwing an error to the scope around it."""

    type = "END_EVENT"
    event_type = "ERROR"
    error_code: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminateEndEvent(Element):
    """Ends its whole scope at once."""

    type = "END_EVENT"
    event_type = "TERMINATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoneThrowEvent(Element):
    """A milestone: passes through."""

    type = "INTERMEDIATE_THROW_EVENT"
    event_type = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerCatchEvent(Element):
    """Waits until its time has come."""

    type = "INTERMEDIATE_CATCH_EVENT"
    event_type = "TIMER"
    timer: TimerDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerBoundaryEvent(Element):
    """Fires while the activity it sits on runs."""

    type = "BOUNDARY_EVENT"
    event_type = "TIMER"
    attached_to_id: str
    interrupting: bool
    timer: TimerDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBoundaryEvent(Element):
    """Catches an error out of the activity it sits on; without a code it catches every error."""

    type = "BOUNDARY_EVENT"
    event_type = "ERROR"
    attached_to_id: str
    error_code: str | None


BoundaryEvent = TimerBoundaryEvent | ErrorBoundaryEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class PassTask(Element):
    """A task with nothing to do: manual or undefined."""

    type = "MANUAL_TASK"


@dataclass(frozen=True, slots=True, kw_only=True)
class UndefinedTask(PassTask):
    """A plain `bpmn:task`."""

    type = "TASK"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTask(Element):
    """A task that a job worker does."""

    type = "SERVICE_TASK"
    job_type: Expression
    retries: Expression
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendJobTask(JobTask):
    """A send task, done by a job worker."""

    type = "SEND_TASK"


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessRuleJobTask(JobTask):
    """A business rule task that is done by a job worker, not by a decision."""

    type = "BUSINESS_RULE_TASK"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptJobTask(JobTask):
    """A script task that is done by a job worker, not by FEEL."""

    type = "SCRIPT_TASK"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobUserTask(JobTask):
    """A user task without `zeebe:userTask`: a job of type `io.camunda.zeebe:userTask`."""

    type = "USER_TASK"
    assignee: Expression | None = None
    candidate_groups: Expression | None = None
    candidate_users: Expression | None = None
    due_date: Expression | None = None
    follow_up_date: Expression | None = None
    form: FormReference | None = None
    form_key: Expression | None = None


@dataclass(frozen=True, slots=True)
class TaskListener:
    """A job that a user task's change waits for; `event` is such as `creating`."""

    event: str
    job_type: str
    retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTask(Element):
    """A user task that the engine keeps itself (`zeebe:userTask`)."""

    type = "USER_TASK"
    assignee: Expression | None = None
    candidate_groups: Expression | None = None
    candidate_users: Expression | None = None
    due_date: Expression | None = None
    follow_up_date: Expression | None = None
    priority: Expression | None = None
    form: FormReference | None = None
    external_form_reference: Expression | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    listeners: tuple[TaskListener, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptTask(Element):
    """A script task that evaluates FEEL into `result_variable`."""

    type = "SCRIPT_TASK"
    expression: Expression
    result_variable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusiveGateway(Element):
    """Takes the first flow whose condition is true, else the default flow."""

    type = "EXCLUSIVE_GATEWAY"
    default_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelGateway(Element):
    """Waits for a token on every incoming flow, then takes every outgoing one."""

    type = "PARALLEL_GATEWAY"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubProcess(Element):
    """A process embedded in another, with a variable scope of its own."""

    type = "SUB_PROCESS"
    start_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallActivity(Element):
    """Runs another process as a child instance."""

    type = "CALL_ACTIVITY"
    called_process_id: Expression
    binding: str
    version_tag: str
    propagate_all_child_variables: bool
    propagate_all_parent_variables: bool
    index: int
    """Place among the process's call activities in document order; Zeebe's records name it so."""


Activity = PassTask | JobTask | UserTask | ScriptTask | SubProcess | CallActivity


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiInstanceBody(Element):
    """The scope around the instances of a multi-instance activity; it has the activity's id."""

    type = "MULTI_INSTANCE_BODY"
    inner: Activity
    loop: Loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Process(Element):
    """An executable process and all that is in it, by element id."""

    type = "PROCESS"
    version_tag: str = ""
    elements: Mapping[str, Element]
    none_start_id: str | None
    timer_start_ids: tuple[str, ...] = ()
