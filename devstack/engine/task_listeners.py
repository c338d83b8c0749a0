"""Telling listeners of a user task's change before it happens, one job after the other.

    change → run → job of the first listener … job of the last one → the change happens
                   └─ denied → nothing has changed

Sources: the documentation of user task listeners, and Zeebe's user task processor for the order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from devstack.bpmn import model
from devstack.engine.job_pool import JobPool
from devstack.engine.partition import Partition
from devstack.engine.state import Job, OnEnd, Transition, UserTask
from devstack.errors import InvalidArgumentError, InvalidStateError

_PREFIX = "io.camunda.zeebe:"
_DENIED = {
    "assigning": "ASSIGNMENT_DENIED",
    "updating": "UPDATE_DENIED",
    "completing": "COMPLETION_DENIED",
}
_CHANGES = {"assigning": "Assignment", "updating": "Update", "completing": "Completion"}


class TaskListeners:
    """The listeners of one partition's user tasks.

    Args:
        partition: for records and keys.
        pool: where their jobs live.
    """

    def __init__(self, partition: Partition, pool: JobPool) -> None:
        self._partition = partition
        self._pool = pool

    def listens(self, task: UserTask, event: str) -> bool:
        """Whether anybody is to be told of this event of a task."""
        return bool(self._of(task, event))

    def run(
        self,
        task: UserTask,
        event: str,
        finish: Callable[[], None],
        *,
        intent: str = "",
        before: Mapping[str, Any] | None = None,
        on_end: OnEnd | None = None,
    ) -> None:
        """Tell the listeners of `event`, then call `finish`: at once when there are none.

        Args:
            task: whose change it is; commands about it are refused meanwhile.
            event: such as `assigning`.
            finish: makes the change.
            intent: that of the command that asks for it, such as `CLAIM`.
            before: the task's value without the change, for when it is denied.
            on_end: told that the change has happened, or why it did not.
        """
        left = self._of(task, event)
        transition = Transition(task, event, intent, left, finish, before, on_end)
        task.transition = transition
        self._next(transition)

    def end(self, task: UserTask, reason: str) -> None:
        """Forget what a task's listeners were to be told; its element is cut short."""
        transition = task.transition
        if transition is not None:
            task.transition = None
            self._pool.cancel(task.instance)
            if transition.on_end is not None:
                transition.on_end(InvalidStateError(transition.intent, reason))

    def completed(self, job: Job, result: Mapping[str, Any]) -> None:
        """A listener's job is done: on to the next one, or back when it denies the change."""
        transition = job.transition
        if transition is None or transition.task.transition is not transition:
            return
        is_denied = bool(result.get("denied"))
        self._answered("DENY_TASK_LISTENER" if is_denied else "COMPLETE_TASK_LISTENER", transition)
        if is_denied:
            self._deny(transition, str(result.get("deniedReason") or ""))
        else:
            self._next(transition)

    def _answered(self, intent: str, transition: Transition) -> None:
        """Record the command to go on after a listener's answer; what follows is its doing."""
        task, writer = transition.task, self._partition.writer
        writer.processing(writer.follow_up("USER_TASK", intent, task.key, task.value))

    def check(self, job: Job, variables: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        """Refuse what a listener cannot answer.

        Raises:
            InvalidArgumentError: variables, corrections, or a denial where there is none.
        """
        if job.transition is None:
            return
        event = job.transition.event
        reasons = {
            "variables": bool(variables),
            "corrections of the task": bool(result.get("corrections")),
            f"a denial of {event}": bool(result.get("denied")) and event not in _DENIED,
        }
        for what, is_given in reasons.items():
            if is_given:
                reason = (
                    f"Expected to complete task listener job with key '{job.key}', but {what} "
                    "cannot be given"
                )
                raise InvalidArgumentError("COMPLETE", reason)

    def _of(self, task: UserTask, event: str) -> deque[model.TaskListener]:
        element = task.instance.element
        own = element.listeners if isinstance(element, model.UserTask) else ()
        every = (*self._partition.global_listeners, *own)
        return deque(listener for listener in every if listener.event == event)

    def _next(self, transition: Transition) -> None:
        if transition.left:
            listener = transition.left.popleft()
            task = transition.task
            self._pool.create(
                task.instance,
                listener.job_type,
                listener.retries,
                _headers(task.value),
                transition=transition,
            )
            return
        transition.task.transition = None
        transition.finish()
        if transition.on_end is not None:
            transition.on_end(None)

    def _deny(self, transition: Transition, denied_reason: str) -> None:
        task = transition.task
        task.transition = None
        writer = self._partition.writer
        denied = {**task.value, "deniedReason": denied_reason}
        writer.event("USER_TASK", _DENIED[transition.event], task.key, denied)
        task.value = dict(transition.before or task.value)
        if transition.on_end is not None:
            reason = (
                f"{_CHANGES[transition.event]} of the User Task with key '{task.key}' was denied "
                f"by Task Listener. Reason to deny: '{denied_reason}'"
            )
            transition.on_end(InvalidStateError(transition.intent, reason))


def _headers(value: Mapping[str, Any]) -> dict[str, str]:
    """The task's own headers, and what it is under Zeebe's reserved names; empty ones left out."""
    told = {
        "action": value["action"],
        "assignee": value["assignee"],
        "candidateGroups": _as_json(value["candidateGroupsList"]),
        "candidateUsers": _as_json(value["candidateUsersList"]),
        "changedAttributes": _as_json(value["changedAttributes"]),
        "dueDate": value["dueDate"],
        "followUpDate": value["followUpDate"],
        "formKey": str(value["formKey"]) if value["formKey"] > 0 else "",
        "priority": str(value["priority"]),
        "userTaskKey": str(value["userTaskKey"]),
    }
    return {
        **value["customHeaders"],
        **{_PREFIX + name: text for name, text in told.items() if text},
    }


def _as_json(names: list[str]) -> str:
    return orjson.dumps(names).decode() if names else ""
