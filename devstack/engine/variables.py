"""Variable scopes: what an element sees, and where a value that comes back is kept."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import orjson

from devstack.engine import values
from devstack.engine.partition import Partition
from devstack.engine.state import ElementInstance, Variable


class Variables:
    """The variables of a partition's instances; every change is recorded."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    def visible(self, scope: ElementInstance) -> dict[str, Any]:
        """Name to value of all that `scope` sees: its own first, then those of outer scopes."""
        return as_object(seen(scope))

    def set_local(self, scope: ElementInstance, document: Mapping[str, Any]) -> None:
        """Keep each value in `scope` itself."""
        for name, value in document.items():
            self._set(scope, name, value)

    def propagate(self, scope: ElementInstance, document: Mapping[str, Any]) -> None:
        """Keep each value in the nearest scope that has the variable, else in the outermost."""
        for name, value in document.items():
            for each in values.scopes(scope):
                if name in each.variables or each.scope is None:
                    self._set(each, name, value)
                    break

    def _set(self, scope: ElementInstance, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
        text = _json(value)
        known = scope.variables.get(name)
        if known is None:
            known = Variable(self._partition.keys.next(), value, text)
            scope.variables[name] = known
            self._record("CREATED", scope, name, known)
        elif known.text != text:
            known.value, known.text = value, text
            self._record("UPDATED", scope, name, known)

    def _record(self, intent: str, scope: ElementInstance, name: str, variable: Variable) -> None:
        value = values.variable(scope, name, variable)
        self._partition.writer.event("VARIABLE", intent, variable.key, value)


def seen(scope: ElementInstance, names: Collection[str] = ()) -> dict[str, Variable]:
    """The variables that `scope` sees, those of inner scopes first; only `names` if any."""
    found: dict[str, Variable] = {}
    for each in values.scopes(scope):
        for name, variable in each.variables.items():
            if name not in found and (not names or name in names):
                found[name] = variable
    return found


def as_object(variables: Mapping[str, Variable]) -> dict[str, Any]:
    """Name to JSON value."""
    return {name: each.value for name, each in variables.items()}


def as_text(variables: Mapping[str, Variable]) -> str:
    """The text of a JSON object, made of the texts already there."""
    return "{" + ",".join(f"{_json(name)}:{each.text}" for name, each in variables.items()) + "}"


def _json(value: Any) -> str:  # noqa: ANN401 - JSON
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # FEEL makes integers that do not fit 64 bits, which orjson refuses.
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
