from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from devstack.bpmn import model
from devstack.engine.definitions import Definitions
from devstack.engine.keys import KeyGenerator
from devstack.engine.schedule import Schedule
from devstack.engine.state import ElementInstance, Job, PartitionState
from devstack.engine.writer import RecordWriter
from runtime.clock import Clock


class StepKind(Enum):
    """What a step does to its element instance; the names are Zeebe's intents."""

    ACTIVATE = "ACTIVATE_ELEMENT"
    COMPLETE = "COMPLETE_ELEMENT"
    TERMINATE = "TERMINATE_ELEMENT"
    CONTINUE_TERMINATING = "CONTINUE_TERMINATING_ELEMENT"


@dataclass(frozen=True, slots=True)
class Step:
    """A command that the engine gave itself; `position` is that of the record its events follow."""

    kind: StepKind
    instance: ElementInstance
    position: int


@dataclass(slots=True)
class Partition:
    """What the parts of one partition share.

    Args:
        id: 1-based.
        ordered_mappings: Evaluate mappings one by one, as Camunda 8.10 does, not grouped.
        on_activatable: Told of each job that a worker can take.
        global_listeners: Of every user task, told before its own.
    """

    id: int
    keys: KeyGenerator
    writer: RecordWriter
    clock: Clock
    schedule: Schedule
    definitions: Definitions
    ordered_mappings: bool
    on_activatable: Callable[[Job], None]
    global_listeners: tuple[model.TaskListener, ...] = ()
    state: PartitionState = field(default_factory=PartitionState)
    agenda: deque[Step] = field(default_factory=deque)

    def plan(self, kind: StepKind, instance: ElementInstance) -> None:
        """Record a command to the engine itself and process it after those planned before."""
        key = instance.key or -1
        position = self.writer.follow_up("PROCESS_INSTANCE", kind.value, key, instance.value)
        self.agenda.append(Step(kind, instance, position))

    def go_on(self, kind: StepKind, instance: ElementInstance) -> None:
        """Process a step next, as a part of the command at hand and without a record of its own."""
        self.agenda.appendleft(Step(kind, instance, self.writer.source_position))

    def offer(self, job: Job) -> None:
        """Put a job where workers find it, and tell those that wait."""
        pool = self.state.activatable.setdefault((job.type, job.instance.definition.tenant_id), {})
        pool[job.key] = job
        self.on_activatable(job)

    def withdraw(self, job: Job) -> None:
        """Take a job from where workers find it; it need not be there."""
        name = (job.type, job.instance.definition.tenant_id)
        pool = self.state.activatable.get(name, {})
        if pool.pop(job.key, None) is not None and not pool:
            del self.state.activatable[name]
