"""Input and output mappings: which variables go into an element and which come out.

Two ways are known of the engine. Grouped (to 8.9): the mappings of an element make one FEEL
context, in which targets under the same root stand together where the first of them stood, so
each sees what stands before it in that order. Ordered (8.10): one by one as modelled, each seeing
all results so far. Which release began with which is not documented; this follows the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from devstack.bpmn.model import VariableMapping
from devstack.engine import expressions
from devstack.engine.failure import ErrorType
from devstack.engine.partition import Partition
from devstack.engine.state import ElementInstance
from devstack.engine.variables import Variables

Group: TypeAlias = "dict[str, VariableMapping | Group]"


class Mappings:
    """Carries out the mappings of a partition's elements."""

    def __init__(self, partition: Partition, variables: Variables) -> None:
        self._variables = variables
        self._ordered = partition.ordered_mappings

    def apply_inputs(self, instance: ElementInstance) -> None:
        """Set the input mappings' results as local variables of the element.

        Raises:
            ElementFailure: A mapping's evaluation fails; nothing is set then.
        """
        mappings = instance.element.inputs
        if mappings:
            visible = self._variables.visible(instance)
            results = (
                _ordered_inputs(mappings, visible)
                if self._ordered
                else _grouped(_group(mappings), visible)
            )
            self._variables.set_local(instance, results)

    def apply_outputs(self, instance: ElementInstance) -> None:
        """Bring the results of an element, such as a job's variables, to the scope around it.

        With output mappings their results alone go out; without, everything does.

        Raises:
            ElementFailure: A mapping's evaluation fails; nothing goes out then.
        """
        mappings = instance.element.outputs
        if mappings:
            self._variables.set_local(instance, instance.event_variables or {})
            visible = self._variables.visible(instance)
            results = (
                _ordered_outputs(mappings, visible)
                if self._ordered
                else _merged(_group(mappings), visible)
            )
            self._variables.propagate(_target_scope(instance), results)
        elif instance.event_variables:
            self._variables.propagate(instance, instance.event_variables)
        instance.event_variables = None


def _target_scope(instance: ElementInstance) -> ElementInstance:
    """The flow scope; the inner activity of a multi-instance keeps its results for the body."""
    if instance.loop_counter or instance.scope is None:
        return instance
    return instance.scope


def _evaluate(mapping: VariableMapping, visible: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    return expressions.evaluate(mapping.source, visible, ErrorType.IO_MAPPING_ERROR)


def _group(mappings: tuple[VariableMapping, ...]) -> Group:
    """Targets under the same root together, at the place of the first; the last of equals wins."""
    root: Group = {}
    for mapping in mappings:
        group = root
        for part in mapping.target[:-1]:
            inner = group.get(part)
            if not isinstance(inner, dict):
                inner = group[part] = {}
            group = inner
        group[mapping.target[-1]] = mapping
    return root


def _grouped(group: Group, visible: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluate like a FEEL context: each entry sees those before it and what is around."""
    results: dict[str, Any] = {}
    for name, entry in group.items():
        scope = {**visible, **results}
        results[name] = (
            _grouped(entry, scope) if isinstance(entry, dict) else _evaluate(entry, scope)
        )
    return results


def _merged(
    group: Group,
    visible: Mapping[str, Any],
    existing: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The same for outputs: a nested target is merged into the object that is already there."""
    known = visible if existing is None else existing
    results: dict[str, Any] = {}
    for name, entry in group.items():
        scope = {**visible, **results}
        if isinstance(entry, dict):
            before = known.get(name)
            inner = before if isinstance(before, dict) else {}
            results[name] = {**inner, **_merged(entry, scope, inner)}
        else:
            results[name] = _evaluate(entry, scope)
    return results


def _ordered_inputs(
    mappings: tuple[VariableMapping, ...],
    visible: Mapping[str, Any],
) -> dict[str, Any]:
    """One by one; where only a part of a name is mapped, the rest of it is seen from outside."""
    results: dict[str, Any] = {}
    for mapping in mappings:
        scope = {**visible, **_overlay(visible, results)}
        _put(results, mapping.target, _evaluate(mapping, scope), {})
    return results


def _ordered_outputs(
    mappings: tuple[VariableMapping, ...],
    visible: Mapping[str, Any],
) -> dict[str, Any]:
    """One by one; nested targets are merged into the object that is already there."""
    results: dict[str, Any] = {}
    for mapping in mappings:
        _put(results, mapping.target, _evaluate(mapping, {**visible, **results}), visible)
    return results


def _overlay(visible: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, Any]:
    overlaid: dict[str, Any] = {}
    for name, value in results.items():
        outer = visible.get(name)
        if isinstance(value, dict) and isinstance(outer, dict):
            overlaid[name] = {**outer, **value}
        else:
            overlaid[name] = value
    return overlaid


def _put(
    results: dict[str, Any],
    target: tuple[str, ...],
    value: Any,  # noqa: ANN401 - JSON
    existing: Mapping[str, Any],
) -> None:
    """Set a path; an object on the way is kept, one of `existing` is copied in first."""
    inner, known = results, existing
    for part in target[:-1]:
        before = inner.get(part, known.get(part))
        step = dict(before) if isinstance(before, dict) else {}
        outer_known = known.get(part)
        known = outer_known if isinstance(outer_known, dict) else {}
        inner[part] = step
        inner = step
    inner[target[-1]] = value
