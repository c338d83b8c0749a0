"""Elements that hold others: the process itself and embedded sub-processes."""

from __future__ import annotations

from typing_extensions import override

from devstack.bpmn import model
from devstack.engine.behaviours.activities import Activity
from devstack.engine.behaviours.call_activity import CallActivityBehaviour
from devstack.engine.behaviours.parts import Parts, element_of
from devstack.engine.lifecycle import Container
from devstack.engine.state import ElementInstance, Phase
from devstack.engine.variables import as_object


class Scope(Activity, Container):
    """What holds other elements: is done when nothing runs or waits inside any more."""

    @override
    def child_activating(self, scope: ElementInstance, child: ElementInstance) -> None:
        """Nothing to prepare."""

    @override
    def child_completing(self, scope: ElementInstance, child: ElementInstance) -> None:
        """Nothing to check: any path may end."""

    @override
    def child_completed(self, scope: ElementInstance) -> None:
        if scope.can_complete:
            self._end(scope)

    @override
    def child_terminated(self, scope: ElementInstance) -> None:
        if scope.can_complete or (scope.phase is Phase.TERMINATING and not scope.children):
            self._end(scope)

    def _end(self, scope: ElementInstance) -> None:
        """Complete the scope, or go on with its termination when that is under way."""
        if scope.phase is Phase.TERMINATING:
            self._parts.lifecycle.finish_terminating(scope)
        elif scope.phase is Phase.ACTIVATED and not scope.is_ending:
            scope.is_ending = True
            self._parts.lifecycle.complete_later(scope)

    @override
    def terminate(self, instance: ElementInstance) -> None:
        self._parts.release(instance)
        if not self._parts.lifecycle.terminate_children(instance):
            self._terminated(instance)

    def _terminated(self, scope: ElementInstance) -> None:
        self._parts.lifecycle.terminated(scope)


class SubProcessBehaviour(Scope):
    """An embedded sub-process: begins at its start event."""

    @override
    def _begin(self, instance: ElementInstance) -> None:
        element = element_of(instance, model.SubProcess)
        self._parts.open_boundaries(instance)
        self._parts.lifecycle.activated(instance)
        start = instance.definition.process.elements[element.start_id]
        self._parts.lifecycle.enter(start, instance)


class ProcessBehaviour(Scope):
    """A process instance: tells its call activity, or who waits for its result, when it ends."""

    def __init__(self, parts: Parts, call_activity: CallActivityBehaviour) -> None:
        super().__init__(parts)
        self._call_activity = call_activity

    @override
    def activate(self, instance: ElementInstance) -> None:
        process = element_of(instance, model.Process)
        self._parts.lifecycle.activated(instance)
        start_id = instance.start_id or process.none_start_id
        if start_id is not None:
            self._parts.lifecycle.enter(process.elements[start_id], instance)

    @override
    def complete(self, instance: ElementInstance) -> None:
        variables = as_object(instance.variables)
        self._parts.lifecycle.completed(instance)
        self._parts.lifecycle.report(instance, completed=True)
        if instance.caller is not None:
            self._call_activity.child_completed(instance.caller, variables)

    @override
    def _terminated(self, scope: ElementInstance) -> None:
        self._parts.lifecycle.terminated(scope)
        self._parts.lifecycle.report(scope, completed=False)
        if scope.caller is not None:
            self._call_activity.child_terminated(scope.caller)
