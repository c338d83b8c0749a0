from __future__ import annotations

import re
from typing import Any

from typing_extensions import override

from devstack.bpmn import model
from devstack.bpmn.expression import Expression
from devstack.engine import expressions
from devstack.engine.behaviours.containers import Scope
from devstack.engine.behaviours.parts import element_of
from devstack.engine.state import ElementInstance, MultiInstance

_PATH = re.compile(r"\s*([^\W\d]\w*)(?:\.[^\W\d]\w*)*\s*")
_CONSTANTS = frozenset({"null", "true", "false"})


class MultiInstanceBehaviour(Scope):
    """The scope around the instances of an activity: one for each item of a collection.

    The inner activity's local variables are set when it is activated, before its own mappings.
    """

    @override
    def activate(self, instance: ElementInstance) -> None:
        loop = element_of(instance, model.MultiInstanceBody).loop
        variables = self._parts.variables.visible(instance)
        items = expressions.array(loop.input_collection, variables)
        self._parts.open_boundaries(instance)
        self._parts.lifecycle.activated(instance)
        instance.multi_instance = MultiInstance(items)
        if loop.output_collection is not None:
            empty = {loop.output_collection: [None] * len(items)}
            self._parts.variables.set_local(instance, empty)
        if not items:
            self._parts.lifecycle.complete_later(instance)
        for _ in items[:1] if loop.sequential else items:
            self._start_next(instance, instance.multi_instance)

    def _start_next(self, body: ElementInstance, progress: MultiInstance) -> None:
        progress.started += 1
        inner = element_of(body, model.MultiInstanceBody).inner
        self._parts.lifecycle.enter(inner, body, loop_counter=progress.started)

    @override
    def child_activating(self, scope: ElementInstance, child: ElementInstance) -> None:
        """Give an inner instance its item and its place in the loop."""
        progress = _progress(scope)
        loop = element_of(scope, model.MultiInstanceBody).loop
        local: dict[str, Any] = {}
        if loop.input_element is not None:
            local[loop.input_element] = progress.items[child.loop_counter - 1]
        result = _variable(loop.output_element)
        # The result's variable is set to null first, so that what the activity gives stays inside.
        if result and result not in local:
            local[result] = None
        local["loopCounter"] = child.loop_counter
        self._parts.variables.set_local(child, local)

    @override
    def child_completing(self, scope: ElementInstance, child: ElementInstance) -> None:
        """Collect the inner instance's output and look whether the loop is over."""
        progress = _progress(scope)
        loop = element_of(scope, model.MultiInstanceBody).loop
        visible = self._parts.variables.visible(child)
        if loop.output_collection is not None and loop.output_element is not None:
            output = expressions.evaluate(loop.output_element, visible)
            collection = list(scope.variables[loop.output_collection].value)
            collection[child.loop_counter - 1] = output
            self._parts.variables.set_local(scope, {loop.output_collection: collection})
        if loop.completion_condition is not None:
            counts = _counts(scope, progress)
            progress.is_over = expressions.boolean(loop.completion_condition, visible | counts)

    @override
    def child_completed(self, scope: ElementInstance) -> None:
        progress = _progress(scope)
        progress.completed += 1
        loop = element_of(scope, model.MultiInstanceBody).loop
        if progress.is_over and scope.is_active:
            scope.interrupted = True
            self._parts.lifecycle.terminate_children(scope)
        elif loop.sequential and progress.started < len(progress.items) and scope.is_active:
            self._start_next(scope, progress)
            return
        super().child_completed(scope)

    @override
    def complete(self, instance: ElementInstance) -> None:
        name = element_of(instance, model.MultiInstanceBody).loop.output_collection
        if name is not None and instance.scope is not None:
            results = {name: instance.variables[name].value}
            self._parts.variables.propagate(instance.scope, results)
        super().complete(instance)


def _variable(output: Expression | None) -> str:
    """The variable that an output element is, or that it is a property of; empty for neither."""
    match = _PATH.fullmatch(output.text) if output is not None else None
    return match[1] if match is not None and match[1] not in _CONSTANTS else ""


def _progress(body: ElementInstance) -> MultiInstance:
    if body.multi_instance is None:
        raise TypeError(f"element instance {body.key} is no multi-instance body")
    return body.multi_instance


def _counts(body: ElementInstance, progress: MultiInstance) -> dict[str, int]:
    """What a completion condition can ask for; the completing instance counts as completed."""
    return {
        "numberOfInstances": len(progress.items),
        "numberOfActiveInstances": len(body.children) - 1,
        "numberOfCompletedInstances": progress.completed + 1,
        "numberOfTerminatedInstances": 0,
    }
