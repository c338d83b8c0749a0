"""Events: those that only pass, those that wait for a timer, those that throw or end all."""

from __future__ import annotations

from typing_extensions import override

from devstack.bpmn import model
from devstack.engine import expressions
from devstack.engine.behaviours.activities import Activity, PassBehaviour
from devstack.engine.behaviours.parts import element_of
from devstack.engine.state import ElementInstance, Phase, Timer


class PassingEventBehaviour(Activity):
    """A start event, a boundary event that has fired, an event of no kind: passes, mapping out."""

    @override
    def activate(self, instance: ElementInstance) -> None:
        # Zeebe maps nothing into these.
        self._begin(instance)


class TimerCatchBehaviour(Activity):
    """Waits for its timer."""

    @override
    def _begin(self, instance: ElementInstance) -> None:
        element = element_of(instance, model.TimerCatchEvent)
        variables = self._parts.variables.visible(instance)
        self._parts.timers.create(element.timer, element, instance, variables, self._fire)
        self._parts.lifecycle.activated(instance)

    def _fire(self, timer: Timer) -> None:
        if timer.instance is not None:
            self._parts.lifecycle.complete_later(timer.instance)


class ErrorEndBehaviour(Activity):
    """Throws an error to the activities around it; is terminated with them, never completed."""

    @override
    def activate(self, instance: ElementInstance) -> None:
        # Zeebe maps nothing into these.
        element = element_of(instance, model.ErrorEndEvent)
        variables = self._parts.variables.visible(instance)
        code = expressions.text(element.error_code, variables)
        # The search begins at the scope around: an end event has no boundary events.
        if instance.scope is not None:
            host, event = self._parts.catcher.find(instance.scope, code)
            self._parts.lifecycle.activated(instance)
            self._parts.catcher.interrupt(host, event, {})


class TerminateEndBehaviour(PassBehaviour):
    """Ends everything else in its scope, and the scope with it."""

    @override
    def complete(self, instance: ElementInstance) -> None:
        scope = instance.scope
        if scope is not None:
            scope.interrupted = True
            for child in list(scope.children.values()):
                if child is not instance and child.phase is not Phase.TERMINATING:
                    self._parts.lifecycle.terminate_later(child)
        self._parts.lifecycle.completed(instance)
