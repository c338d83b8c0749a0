"""What a partition remembers about instances that are not ended; ended ones leave nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from devstack.bpmn import model
from devstack.bpmn.timers import Interval
from devstack.engine.definitions import Definition
from devstack.engine.schedule import Alarm
from devstack.errors import CommandRejectedError


class Phase(Enum):
    """Where an element instance is in its life; the names are Zeebe's intents."""

    PLANNED = "ACTIVATE_ELEMENT"
    ACTIVATING = "ELEMENT_ACTIVATING"
    ACTIVATED = "ELEMENT_ACTIVATED"
    COMPLETING = "ELEMENT_COMPLETING"
    TERMINATING = "ELEMENT_TERMINATING"
    ENDED = "ENDED"


@dataclass(slots=True)
class Variable:
    """One variable of a scope: its value and the same as JSON text, as records show it."""

    key: int
    value: Any
    text: str


@dataclass(frozen=True, slots=True)
class StartedInstance:
    """A process instance that was just created; it may have ended since."""

    key: int
    definition: Definition


@dataclass(frozen=True, slots=True)
class InstanceResult:
    """How a process instance ended; `variables` are its root scope's, empty when canceled."""

    key: int
    definition: Definition
    completed: bool
    variables: Mapping[str, Any]


ResultListener = Callable[[InstanceResult], None]


@dataclass(slots=True)
class MultiInstance:
    """The progress of a multi-instance body."""

    items: list[Any]
    started: int = 0
    completed: int = 0
    is_over: bool = False
    """Set when the completion condition is true."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """A boundary event that takes over once its activity is terminated."""

    event: model.BoundaryEvent
    variables: Mapping[str, Any]


@dataclass(slots=True, eq=False)
class ElementInstance:
    """A token's stay at one element; containers hold the scopes of what runs inside them.

    `scope` is the flow scope, None for a process instance; `caller` is the call activity that
    started this process instance. `event_variables` wait to be mapped out on completion.
    """

    key: int
    element: model.Element
    definition: Definition
    process_instance_key: int
    root_key: int
    """The process instance at the top of the chain of call activities."""
    scope: ElementInstance | None
    caller: ElementInstance | None = None
    phase: Phase = Phase.PLANNED
    variables: dict[str, Variable] = field(default_factory=dict)
    children: dict[int, ElementInstance] = field(default_factory=dict)
    tokens: int = 0
    """Sequence flows taken inside this scope whose target is not activated yet."""
    arrivals: dict[str, dict[str, int]] = field(default_factory=dict)
    """Tokens that wait at a parallel gateway: gateway id to flow id to count."""
    job_key: int = 0
    user_task_key: int = 0
    timer_keys: list[int] = field(default_factory=list)
    incident_keys: list[int] = field(default_factory=list)
    is_ending: bool = False
    """Set once this scope's completion is planned."""
    event_variables: Mapping[str, Any] | None = None
    interruption: Interruption | None = None
    interrupted: bool = False
    """Set when this scope is to end although not every path inside has: nothing new begins."""
    called: ElementInstance | None = None
    loop_counter: int = 0
    multi_instance: MultiInstance | None = None
    start_id: str = ""
    """Start event that a process instance begins at, when it is not the none start event."""
    on_result: ResultListener | None = None
    value: dict[str, Any] = field(default_factory=dict)
    """The PROCESS_INSTANCE record's value, the same for all of its intents."""

    @property
    def is_active(self) -> bool:
        """Whether events can still reach it."""
        return self.phase is Phase.ACTIVATED

    @property
    def can_complete(self) -> bool:
        """Whether nothing runs or waits inside it any more."""
        return not self.children and (self.tokens == 0 or self.interrupted)


class JobState(Enum):
    """Zeebe's states of a job; a job that is done has none."""

    ACTIVATABLE = "ACTIVATABLE"
    ACTIVATED = "ACTIVATED"
    FAILED = "FAILED"
    ERROR_THROWN = "ERROR_THROWN"


@dataclass(slots=True, eq=False)
class Job:
    """Work that waits for a worker; `deadline_ms` and `recurring_time_ms` are -1 when unset."""

    key: int
    type: str
    instance: ElementInstance
    headers: Mapping[str, str]
    retries: int
    state: JobState = JobState.ACTIVATABLE
    worker: str = ""
    deadline_ms: int = -1
    timeout_ms: int = -1
    retry_backoff_ms: int = 0
    recurring_time_ms: int = -1
    error_message: str = ""
    error_code: str = ""
    incident_key: int = 0
    alarm: Alarm | None = None
    """Rings when its time-out or its back-off is over."""
    transition: Transition | None = None
    """Set for the job of a user task listener."""


class IncidentCause(Enum):
    """What resolving an incident does again."""

    ACTIVATE = "activate"
    COMPLETE = "complete"
    JOB = "job"


@dataclass(slots=True, eq=False)
class Incident:
    """A problem that someone must solve; `value` is its record's value."""

    key: int
    instance: ElementInstance
    cause: IncidentCause
    job_key: int
    value: dict[str, Any]


@dataclass(slots=True, eq=False)
class UserTask:
    """A user task of the engine's own; `value` is its record's value and is replaced on change."""

    key: int
    instance: ElementInstance
    value: dict[str, Any]
    transition: Transition | None = None
    """Set while listeners are told of a change."""


OnEnd = Callable[[CommandRejectedError | None], None]
"""Told that a change has happened, or why it did not."""


@dataclass(slots=True, eq=False)
class Transition:
    """A change of a user task that its listeners are told of first; `event` is such as `creating`.

    `intent` is that of the command that asks for the change, empty when nobody does. `left` are
    the listeners still to be told. `finish` makes the change, `before` is the task's value without
    it.
    """

    task: UserTask
    event: str
    intent: str
    left: deque[model.TaskListener]
    finish: Callable[[], None]
    before: Mapping[str, Any] | None
    on_end: OnEnd | None


@dataclass(slots=True, eq=False)
class Timer:
    """A timer event that waits; `instance` is None for a timer start event."""

    key: int
    due_ms: int
    repetitions: int
    element: model.Element
    definition: Definition
    instance: ElementInstance | None
    interval: Interval | None = None
    """Set for a cycle: how long after each time it fires again."""
    alarm: Alarm | None = None


@dataclass(slots=True)
class PartitionState:
    """Everything that lives on one partition, by key."""

    instances: dict[int, ElementInstance] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    incidents: dict[int, Incident] = field(default_factory=dict)
    user_tasks: dict[int, UserTask] = field(default_factory=dict)
    timers: dict[int, Timer] = field(default_factory=dict)
    activatable: dict[tuple[str, str], dict[int, Job]] = field(default_factory=dict)
    """Jobs to give out, by job type and tenant, oldest first."""
