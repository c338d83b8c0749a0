from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from devstack.bpmn import model
from devstack.engine import expressions
from devstack.engine.behaviours.activities import Activity
from devstack.engine.behaviours.parts import element_of
from devstack.engine.definitions import Definition
from devstack.engine.failure import ElementFailure, ErrorType
from devstack.engine.state import ElementInstance, Phase
from devstack.engine.values import process_root
from devstack.engine.variables import as_object

MAX_PROCESS_DEPTH = 1000
"""Call activities above each other at most; Zeebe's default."""


class CallActivityBehaviour(Activity):
    """Runs another process as a child instance, in variables of its own."""

    @override
    def _begin(self, instance: ElementInstance) -> None:
        element = element_of(instance, model.CallActivity)
        called = self._called(element, instance)
        _check_depth(instance)
        self._parts.open_boundaries(instance)
        self._parts.lifecycle.activated(instance)
        key = self._parts.partition.keys.next()
        child = self._parts.lifecycle.start(called, key, instance)
        instance.called = child
        if element.propagate_all_parent_variables:
            self._parts.variables.set_local(child, self._parts.variables.visible(instance))
        else:
            self._parts.variables.set_local(child, as_object(instance.variables))
        self._parts.lifecycle.plan_activation(child)

    def _called(self, element: model.CallActivity, instance: ElementInstance) -> Definition:
        variables = self._parts.variables.visible(instance)
        process_id = expressions.text(element.called_process_id, variables)
        caller = instance.definition
        for definition in self._parts.partition.definitions.versions(caller.tenant_id, process_id):
            if _is_bound(element, definition, caller):
                if definition.process.none_start_id is None:
                    raise ElementFailure(
                        ErrorType.CALLED_ELEMENT_ERROR,
                        f"Expected process with BPMN process id '{process_id}' to have a none "
                        "start event, but not found.",
                    )
                return definition
        raise ElementFailure(
            ErrorType.CALLED_ELEMENT_ERROR,
            _not_found(process_id, element, caller.deployment_key),
        )

    def child_completed(self, instance: ElementInstance, variables: Mapping[str, Any]) -> None:
        """The called process has ended by itself with `variables`."""
        element = element_of(instance, model.CallActivity)
        instance.called = None
        if instance.phase is Phase.TERMINATING:
            self._parts.lifecycle.finish_terminating(instance)
            return
        if element.propagate_all_child_variables or element.outputs:
            instance.event_variables = variables or None
        self._parts.lifecycle.complete_later(instance)

    def child_terminated(self, instance: ElementInstance) -> None:
        """The called process was terminated, which only happens with its call activity."""
        instance.called = None
        if instance.phase is Phase.TERMINATING:
            self._parts.lifecycle.finish_terminating(instance)

    @override
    def terminate(self, instance: ElementInstance) -> None:
        self._parts.release(instance)
        if instance.called is None:
            self._parts.lifecycle.terminated(instance)
        elif instance.called.phase is not Phase.TERMINATING:
            self._parts.lifecycle.terminate_later(instance.called)


def _is_bound(element: model.CallActivity, definition: Definition, caller: Definition) -> bool:
    if element.binding == "deployment":
        return definition.deployment_key == caller.deployment_key
    if element.binding == "versionTag":
        return definition.process.version_tag == element.version_tag
    return True


def _not_found(process_id: str, element: model.CallActivity, deployment_key: int) -> str:
    """Why there is no process to call, by its binding, beginning as Zeebe's own message does."""
    match element.binding:
        case "deployment":
            return (
                f"Expected to call process with BPMN process id '{process_id}' with binding type "
                f"'deployment', but no such process found in the deployment with key "
                f"{deployment_key} which contained the current process. Deploy both together and "
                "start a new instance."
            )
        case "versionTag":
            return (
                f"Expected to call process with BPMN process id '{process_id}' and version tag "
                f"'{element.version_tag}', but no such process found. Deploy it and resolve this "
                "incident."
            )
        case _:
            return (
                f"Expected process with BPMN process id '{process_id}' to be deployed, but not "
                "found."
            )


def _check_depth(instance: ElementInstance) -> None:
    """Stop processes that call each other in a circle, as Zeebe does.

    Raises:
        ElementFailure: Too many call activities stand above this one.
    """
    depth, caller = 1, process_root(instance).caller
    while caller is not None:
        depth, caller = depth + 1, process_root(caller).caller
    if depth > MAX_PROCESS_DEPTH:
        raise ElementFailure(
            ErrorType.CALLED_ELEMENT_ERROR,
            f"The call activity has reached the maximum depth of {MAX_PROCESS_DEPTH}: the called "
            "processes most likely call each other in a circle. Cancel the root process instance "
            f"'{instance.root_key}' and change the processes.",
        )
