from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devstack.bpmn import model
from devstack.engine import blanks, values
from devstack.engine.behaviours import table
from devstack.engine.behaviours.parts import Parts
from devstack.engine.definitions import Definition, Wanted
from devstack.engine.errors_thrown import ErrorCatcher
from devstack.engine.incidents import Incidents
from devstack.engine.job_activation import JobActivation
from devstack.engine.job_pool import JobPool
from devstack.engine.jobs import Jobs
from devstack.engine.lifecycle import Lifecycle
from devstack.engine.mappings import Mappings
from devstack.engine.partition import Partition
from devstack.engine.state import ElementInstance, Phase, ResultListener, Timer
from devstack.engine.task_listeners import TaskListeners
from devstack.engine.timers import Timers
from devstack.engine.user_task_properties import UserTaskProperties
from devstack.engine.user_tasks import UserTasks
from devstack.engine.variables import Variables
from devstack.errors import CommandRejectedError, InvalidStateError, NotFoundError


class Processor:
    """One partition at work: takes commands and carries out the steps that follow from them.

    A command is carried out at once, its follow-up steps by `work`.
    """

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.incidents = Incidents(partition)
        self.lifecycle = Lifecycle(partition, self.incidents)
        self.variables = Variables(partition)
        self.timers = Timers(partition)
        catcher = ErrorCatcher(self.lifecycle)
        pool = JobPool(partition)
        listeners = TaskListeners(partition, pool)
        self.user_tasks = UserTasks(partition, self.lifecycle, listeners)
        self.job_activation = JobActivation(partition, pool, self.incidents)
        self.jobs = Jobs(
            partition=partition,
            lifecycle=self.lifecycle,
            incidents=self.incidents,
            variables=self.variables,
            pool=pool,
            catcher=catcher,
            listeners=listeners,
        )
        table.install(
            Parts(
                partition=partition,
                lifecycle=self.lifecycle,
                incidents=self.incidents,
                variables=self.variables,
                mappings=Mappings(partition, self.variables),
                jobs=pool,
                user_tasks=self.user_tasks,
                user_task_properties=UserTaskProperties(partition),
                timers=self.timers,
                catcher=catcher,
            ),
        )

    def work(self, steps: int) -> bool:
        """Carry out up to `steps` steps; True when more are left."""
        agenda = self.partition.agenda
        for _ in range(steps):
            if not agenda:
                return False
            self.lifecycle.process(agenda.popleft())
        return bool(agenda)

    def create_instance(
        self,
        wanted: Wanted,
        variables: Mapping[str, Any],
        on_result: ResultListener | None,
    ) -> ElementInstance:
        """Start a process instance; it runs in the steps that follow.

        Raises:
            CommandRejectedError: The process named cannot be started; see `Definitions.find`.
        """
        writer = self.partition.writer
        command = values.creation_of(wanted, variables)
        writer.command("PROCESS_INSTANCE_CREATION", "CREATE", -1, command)
        try:
            definition = self.partition.definitions.find(wanted)
        except CommandRejectedError as error:
            writer.rejection("PROCESS_INSTANCE_CREATION", -1, command, error)
            raise
        return self._start(definition, variables, on_result)

    def _start(
        self,
        definition: Definition,
        variables: Mapping[str, Any],
        on_result: ResultListener | None = None,
        start_id: str = "",
    ) -> ElementInstance:
        instance = self.lifecycle.start(definition, self.partition.keys.next())
        instance.on_result = on_result
        instance.start_id = start_id
        self.variables.set_local(instance, variables)
        self.lifecycle.plan_activation(instance)
        value = values.creation(definition, instance.key, variables)
        key = self.partition.keys.next()
        self.partition.writer.event("PROCESS_INSTANCE_CREATION", "CREATED", key, value)
        return instance

    def cancel_instance(self, key: int) -> None:
        """Terminate a process instance with all that runs in it.

        Raises:
            NotFoundError: There is no such process instance, or not any more.
            InvalidStateError: A call activity started it; its root can be canceled.
        """
        instance = self.partition.state.instances.get(key)
        value = (
            instance.value
            if instance is not None
            else {**blanks.PROCESS_INSTANCE, "processInstanceKey": key}
        )
        self.partition.writer.command("PROCESS_INSTANCE", "CANCEL", key, value)
        try:
            root = _cancelable(key, instance)
        except CommandRejectedError as error:
            self.partition.writer.rejection("PROCESS_INSTANCE", key, value, error)
            raise
        if root.phase is not Phase.TERMINATING:
            self.lifecycle.terminate_later(root)

    def set_variables(self, key: int, variables: Mapping[str, Any], *, local: bool) -> int:
        """Set variables at a scope, or where they are known around it; gives the command's key.

        Raises:
            NotFoundError: There is no element instance with this key, or not any more.
        """
        value = {
            "scopeKey": key,
            "updateSemantics": "LOCAL" if local else "PROPAGATE",
            "variables": variables,
            "tenantId": "<default>",
        }
        writer = self.partition.writer
        writer.command("VARIABLE_DOCUMENT", "UPDATE", -1, value)
        scope = self.partition.state.instances.get(key)
        if scope is None:
            reason = (
                f"Expected to update variables for element with key '{key}', "
                "but no such element was found"
            )
            error = NotFoundError("UPDATE", reason)
            writer.rejection("VARIABLE_DOCUMENT", -1, value, error)
            raise error
        if local:
            self.variables.set_local(scope, variables)
        else:
            self.variables.propagate(scope, variables)
        document_key = self.partition.keys.next()
        value["tenantId"] = scope.definition.tenant_id
        writer.event("VARIABLE_DOCUMENT", "UPDATED", document_key, value)
        return document_key

    def set_start_timers(self, definition: Definition, replaced: Definition | None) -> None:
        """Set the timers of a new definition's start events, in place of those of the last one.

        Raises:
            ElementFailure: A timer's expression gives no date or cycle.
        """
        if replaced is not None:
            self.timers.cancel_start(replaced)
        for event_id in definition.process.timer_start_ids:
            event = definition.process.elements[event_id]
            if isinstance(event, model.TimerStartEvent):
                self.timers.create_start(event, definition, self._start_by_timer)

    def _start_by_timer(self, timer: Timer) -> None:
        self._start(timer.definition, {}, start_id=timer.element.id)


def _cancelable(key: int, instance: ElementInstance | None) -> ElementInstance:
    if instance is None or not isinstance(instance.element, model.Process):
        reason = (
            f"Expected to cancel a process instance with key '{key}', but no such process was found"
        )
        raise NotFoundError("CANCEL", reason)
    if instance.caller is not None:
        reason = (
            f"Expected to cancel a process instance with key '{key}', but it is created by a "
            f"parent process instance. Cancel the root process instance '{instance.root_key}' "
            "instead."
        )
        raise InvalidStateError("CANCEL", reason)
    return instance
