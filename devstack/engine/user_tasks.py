"""User tasks that the engine keeps itself: made, assigned, updated, completed, canceled.

The order of intents follows Zeebe 8.8: a task is created without its assignee and assigned in a
second step. Which fields of a change are written is inferred from its user task processors.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from devstack.bpmn.activities import MAX_PRIORITY
from devstack.bpmn.timers import parse_date_time_ms
from devstack.engine import blanks
from devstack.engine.lifecycle import Lifecycle
from devstack.engine.partition import Partition
from devstack.engine.state import ElementInstance, OnEnd, UserTask
from devstack.engine.task_listeners import TaskListeners
from devstack.engine.user_task_properties import DEFAULT_PRIORITY
from devstack.errors import InvalidArgumentError, InvalidStateError, NotFoundError

_CHANGEABLE = {
    "candidateGroups": "candidateGroupsList",
    "candidateUsers": "candidateUsersList",
    "dueDate": "dueDate",
    "followUpDate": "followUpDate",
    "priority": "priority",
}
"""What PATCH can change, by the name in its changeset: the field of the record."""


_CUT_SHORT = "user task was canceled during ongoing transition"
"""Zeebe's words to who waits for a change that its element's termination overtakes."""


class UserTasks:
    """The user tasks of one partition."""

    def __init__(
        self, partition: Partition, lifecycle: Lifecycle, listeners: TaskListeners
    ) -> None:
        self._partition = partition
        self._lifecycle = lifecycle
        self._listeners = listeners

    def create(
        self,
        instance: ElementInstance,
        properties: Mapping[str, Any],
        headers: Mapping[str, str],
    ) -> None:
        """Make the task of an element that is being activated, without its assignee."""
        key = self._partition.keys.next()
        value = {
            **blanks.USER_TASK,
            "userTaskKey": key,
            **properties,
            "assignee": "",
            "creationTimestamp": self._partition.clock.now_ms(),
            "elementId": instance.element.id,
            "elementInstanceKey": instance.key,
            "bpmnProcessId": instance.definition.process_id,
            "processDefinitionVersion": instance.definition.version,
            "processInstanceKey": instance.process_instance_key,
            "processDefinitionKey": instance.definition.key,
            "customHeaders": headers,
            "tenantId": instance.definition.tenant_id,
            "rootProcessInstanceKey": instance.root_key,
        }
        task = UserTask(key, instance, value)
        self._partition.state.user_tasks[key] = task
        instance.user_task_key = key
        self._record("CREATING", task)
        self._listeners.run(task, "creating", lambda: self._record("CREATED", task))

    def assign_initially(self, instance: ElementInstance, assignee: str) -> None:
        """Assign a task that was just made, once that is done, when the model names an assignee."""
        if not assignee:
            return
        task = self._partition.state.user_tasks[instance.user_task_key]
        assign = partial(self._change, task, "ASSIGN", "", {"assignee": assignee})
        if task.transition is None:
            assign()
        else:
            task.transition.on_end = lambda error: None if error else assign()

    def complete(
        self,
        key: int,
        variables: Mapping[str, Any],
        action: str = "",
        on_end: OnEnd | None = None,
    ) -> None:
        """The task is done; the element goes on with `variables`."""
        change = {"variables": dict(variables), "action": action or "complete"}
        task = self._command("COMPLETE", "complete", key, change)
        before = task.value
        task.value = task.value | change
        self._record("COMPLETING", task)
        finish = partial(self._completed, task, variables)
        self._listeners.run(
            task, "completing", finish, intent="COMPLETE", before=before, on_end=on_end
        )

    def _completed(self, task: UserTask, variables: Mapping[str, Any]) -> None:
        self._record("COMPLETED", task)
        self._forget(task)
        task.instance.event_variables = variables or None
        self._lifecycle.complete_later(task.instance)

    def assign(
        self,
        key: int,
        assignee: str,
        *,
        allow_override: bool = True,
        action: str = "",
        on_end: OnEnd | None = None,
    ) -> None:
        """Give the task to `assignee`; empty text takes it from whoever has it.

        Without `allow_override` it is a claim: a task that someone else has is refused.
        """
        intent, word = ("ASSIGN", "assign") if allow_override else ("CLAIM", "claim")
        change = {"assignee": assignee, "action": action or word}
        task = self._command(intent, word, key, change)
        holder = task.value["assignee"]
        if not allow_override and not assignee:
            reason = f"Expected to claim user task with key '{key}', but provided assignee is empty"
            raise self._rejected(task, change, InvalidStateError(intent, reason))
        if not allow_override and holder not in ("", assignee):
            reason = (
                f"Expected to claim user task with key '{key}', but it has already been assigned"
            )
            raise self._rejected(task, change, InvalidStateError(intent, reason))
        self._change(task, intent, change["action"], {"assignee": assignee}, on_end)

    def update(
        self,
        key: int,
        changeset: Mapping[str, Any],
        action: str = "",
        on_end: OnEnd | None = None,
    ) -> None:
        """Change candidates, dates or priority; null in `changeset` clears a field."""
        change = {"action": action or "update"}
        task = self._command("UPDATE", "update", key, change)
        try:
            fields = {_CHANGEABLE[name]: _checked(name, value) for name, value in changeset.items()}
        except (KeyError, ValueError) as error:
            reason = (
                f"Expected to update user task with key '{key}', but the change of "
                f"{error.args[0]!r} cannot be made; {', '.join(sorted(_CHANGEABLE))} can be changed"
            )
            raise self._rejected(task, change, InvalidArgumentError("UPDATE", reason)) from error
        self._change(task, "UPDATE", change["action"], fields, on_end)

    def begin_canceling(self, instance: ElementInstance) -> bool:
        """Tell listeners that the element is cut short; True while its termination waits for them.

        The termination is continued when they are done.
        """
        task = self._partition.state.user_tasks.get(instance.user_task_key)
        if task is None or not self._listeners.listens(task, "canceling"):
            return False
        self._listeners.end(task, _CUT_SHORT)
        task.value = task.value | {"action": "", "changedAttributes": []}
        self._record("CANCELING", task)
        self._listeners.run(task, "canceling", partial(self._canceled, task))
        return True

    def _canceled(self, task: UserTask) -> None:
        instance = task.instance
        self._record("CANCELED", task)
        self._forget(task)
        self._lifecycle.continue_terminating(instance)

    def cancel(self, instance: ElementInstance) -> None:
        """Take back the task of an element that is cut short; it need not have one."""
        task = self._partition.state.user_tasks.get(instance.user_task_key)
        if task is not None:
            self._listeners.end(task, _CUT_SHORT)
            task.value = task.value | {"action": "", "changedAttributes": []}
            self._record("CANCELING", task)
            self._record("CANCELED", task)
            self._forget(task)

    def _change(
        self,
        task: UserTask,
        intent: str,
        action: str,
        fields: Mapping[str, Any],
        on_end: OnEnd | None = None,
    ) -> None:
        event, changing, after = _INTENTS[intent]
        changed = sorted(name for name, value in fields.items() if task.value[name] != value)
        before = task.value
        task.value = task.value | {**fields, "changedAttributes": changed, "action": action}
        self._record(changing, task)
        finish = partial(self._changed, task, after)
        self._listeners.run(task, event, finish, intent=intent, before=before, on_end=on_end)

    def _changed(self, task: UserTask, intent: str) -> None:
        self._record(intent, task)
        task.value = task.value | {"changedAttributes": [], "action": ""}

    def _command(
        self,
        intent: str,
        to_do: str,
        key: int,
        change: Mapping[str, Any],
    ) -> UserTask:
        """Record a command about a task and find the task.

        Raises:
            NotFoundError: There is no such task, or not any more.
        """
        task = self._partition.state.user_tasks.get(key)
        known = task.value if task is not None else blanks.USER_TASK
        value = {**known, "userTaskKey": key, **change}
        self._partition.writer.command("USER_TASK", intent, key, value)
        if task is None:
            reason = (
                f"Expected to {to_do} user task with key '{key}', but no such user task was found"
            )
            error = NotFoundError(intent, reason)
            self._partition.writer.rejection("USER_TASK", key, value, error)
            raise error
        if not task.instance.is_active:
            phase = task.instance.phase.name.removesuffix("ING")
            reason = f"Expected to {to_do} user task with key '{key}', but it is in state '{phase}'"
            raise self._rejected(task, change, InvalidStateError(intent, reason))
        if task.transition is not None:
            state = task.transition.event.upper()
            reason = f"Expected to {to_do} user task with key '{key}', but it is in state '{state}'"
            raise self._rejected(task, change, InvalidStateError(intent, reason))
        return task

    def _rejected(
        self,
        task: UserTask,
        change: Mapping[str, Any],
        error: InvalidArgumentError | InvalidStateError,
    ) -> InvalidArgumentError | InvalidStateError:
        """Record that a command is refused, with what the command itself held."""
        value = {**task.value, **change}
        self._partition.writer.rejection("USER_TASK", task.key, value, error)
        return error

    def _forget(self, task: UserTask) -> None:
        del self._partition.state.user_tasks[task.key]
        task.instance.user_task_key = 0

    def _record(self, intent: str, task: UserTask) -> None:
        self._partition.writer.event("USER_TASK", intent, task.key, task.value)


_INTENTS = {
    "ASSIGN": ("assigning", "ASSIGNING", "ASSIGNED"),
    "CLAIM": ("assigning", "CLAIMING", "ASSIGNED"),
    "UPDATE": ("updating", "UPDATING", "UPDATED"),
}


def _checked(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    """The record's value for one change.

    Raises:
        ValueError: It is not of the field's type; holds the field's name.
    """
    if name == "priority":
        if value is None:
            return DEFAULT_PRIORITY
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_PRIORITY:
            return value
    elif name in ("dueDate", "followUpDate"):
        if value is None or value == "":
            return ""
        if isinstance(value, str):
            parse_date_time_ms(value)
            return value
    elif name in _CHANGEABLE:
        if value is None:
            return []
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return value
    raise ValueError(name)
