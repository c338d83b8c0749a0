from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from devstack.bpmn import model
from devstack.engine.errors_thrown import ErrorCatcher
from devstack.engine.incidents import Incidents
from devstack.engine.job_pool import JobPool
from devstack.engine.lifecycle import Lifecycle
from devstack.engine.mappings import Mappings
from devstack.engine.partition import Partition
from devstack.engine.state import ElementInstance, Interruption, Timer
from devstack.engine.timers import Timers
from devstack.engine.user_task_properties import UserTaskProperties
from devstack.engine.user_tasks import UserTasks
from devstack.engine.variables import Variables

E = TypeVar("E", bound=model.Element)


def element_of(instance: ElementInstance, kind: type[E]) -> E:
    """The instance's element as the type that its behaviour is registered for."""
    element = instance.element
    if not isinstance(element, kind):
        raise TypeError(f"{type(element).__name__} has the behaviour of a {kind.__name__}")
    return element


@dataclass(frozen=True, slots=True)
class Parts:
    """What behaviours work with, all of one partition."""

    partition: Partition
    lifecycle: Lifecycle
    incidents: Incidents
    variables: Variables
    mappings: Mappings
    jobs: JobPool
    user_tasks: UserTasks
    user_task_properties: UserTaskProperties
    timers: Timers
    catcher: ErrorCatcher

    def open_boundaries(self, instance: ElementInstance) -> None:
        """Set the timers of the boundary events on an activity.

        Raises:
            ElementFailure: A timer's expression gives no time; none is set then.
        """
        variables = self.variables.visible(instance)
        try:
            for event_id in instance.element.boundary_ids:
                event = instance.definition.process.elements[event_id]
                if isinstance(event, model.TimerBoundaryEvent):
                    self.timers.create(event.timer, event, instance, variables, self._fire)
        except BaseException:
            self.timers.cancel(instance)
            raise

    def _fire(self, timer: Timer) -> None:
        event, host = timer.element, timer.instance
        if not isinstance(event, model.TimerBoundaryEvent) or host is None or host.scope is None:
            return
        if host.interruption is not None:
            # Something else has ended the activity; its termination waits for its turn.
            return
        if event.interrupting:
            host.interruption = Interruption(event, {})
            self.lifecycle.terminate_later(host)
        else:
            self.lifecycle.enter(event, host.scope)

    def release(self, instance: ElementInstance) -> None:
        """Take back all that still belongs to an element that is cut short."""
        self.jobs.cancel(instance)
        self.user_tasks.cancel(instance)
        self.timers.cancel(instance)
        self.incidents.drop(instance)
