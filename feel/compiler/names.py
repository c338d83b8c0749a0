"""Variables, the value under test and paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from feel.compiler.code import (
    CONTEXT,
    INPUT,
    NO_ITEM,
    PARTIAL,
    Code,
    Frame,
    Scope,
    compile_node,
    run_of,
)
from feel.errors import FeelEvaluationError
from feel.properties import NO_PROPERTY, property_of
from feel.suggestions import did_you_mean
from feel.syntax import InputValue, Name, Node, Path
from feel.values import Value, is_context, is_list, type_of

_MISSING: Final = object()


def name_code(node: Name, scope: Scope) -> Code:
    """The code that reads a variable."""
    return lookup(node.name, scope)


def lookup(name: str, scope: Scope, *, quiet: bool = False) -> Code:
    """The code that reads the variable `name` as seen from `scope`.

    Args:
        name: its name.
        scope: where it stands.
        quiet: leave out the warning when there is no such variable.
    """
    if scope.outer is None:
        return _quietly_from_context(name) if quiet else _from_context(name)
    if scope.kind == "local" and name in scope.names:
        slot = scope.slot + len(scope.names) - 1 - scope.names[::-1].index(name)
        if name != PARTIAL:
            return _from_slot(slot)
        scope.program.partials.add(slot)
        return _Copied(slot)
    if scope.kind == "entries" and name in scope.names:
        return _from_entry(name, scope.slot)
    in_filter = scope.kind == "item"
    outer = lookup(name, scope.outer, quiet=quiet or (in_filter and name == "item"))
    if not in_filter:
        return outer
    return _item(scope.slot, outer) if name == "item" else _from_item(name, scope.slot, outer)


def _from_context(name: str) -> Code:
    def read(frame: Frame) -> Value:
        value = frame[CONTEXT].get(name)
        if value is None:
            _missing_variable(frame, name)
        return value

    return read


def _quietly_from_context(name: str) -> Code:
    return lambda frame: frame[CONTEXT].get(name)


def _missing_variable(frame: Frame, name: str) -> None:
    run = run_of(frame)
    if run.warnings is not None and name not in frame[CONTEXT]:
        run.warn("no-variable", f"no variable `{name}`{did_you_mean(name, frame[CONTEXT])}")


def borrowed(node: Node, scope: Scope) -> Code:
    """The code of a part whose value is only looked into: `partial` need not be copied then."""
    code = compile_node(node, scope)
    if isinstance(node, Name) and node.name == PARTIAL and isinstance(code, _Copied):
        return _from_slot(code.slot)
    return code


def _from_slot(slot: int) -> Code:
    def read(frame: Frame) -> Value:
        return frame[slot]

    return read


@dataclass(frozen=True, slots=True)
class _Copied:
    """Reads the list of results so far: a copy, because the loop goes on adding to it."""

    slot: int

    def __call__(self, frame: Frame) -> Value:
        results = frame[self.slot]
        if type(results) is not list:
            return results
        run_of(frame).charge(len(results) >> 2)
        return results[:]


def _from_entry(name: str, slot: int) -> Code:
    def read(frame: Frame) -> Value:
        return frame[slot][name]

    return read


def _item(slot: int, outer: Code) -> Code:
    def read(frame: Frame) -> Value:
        item = frame[slot]
        if item is NO_ITEM:
            return outer(frame)
        return item["item"] if is_context(item) and "item" in item else item

    return read


def _from_item(name: str, slot: int, outer: Code) -> Code:
    def read(frame: Frame) -> Value:
        item = frame[slot]
        if type(item) is dict:
            value = item.get(name, _MISSING)
            return outer(frame) if value is _MISSING else value
        if isinstance(item, Mapping) and name in item:
            return item[name]
        return outer(frame)

    return read


def input_code(_node: InputValue, scope: Scope) -> Code:
    """The code that reads `?`."""
    slot = input_slot(scope)
    if slot is None:
        return _no_input
    scope.program.inputs_read.add(slot)
    return _from_slot(slot)


def input_slot(scope: Scope) -> int | None:
    """The slot of the value under test; None where there is none."""
    inner: Scope | None = scope
    while inner is not None:
        if inner.kind == "local" and INPUT in inner.names:
            return inner.slot + inner.names.index(INPUT)
        inner = inner.outer
    return None


def _no_input(_frame: Frame) -> Value:
    raise FeelEvaluationError(
        "`?` stands for the value under test: it can be used in unary tests and after `in` only"
    )


def path_code(node: Path, scope: Scope) -> Code:
    """The code of `base.name`."""
    name = node.name
    base = compile_node(node.base, scope)

    def read(frame: Frame) -> Value:
        value = base(frame)
        if type(value) is dict:
            entry = value.get(name)
            if entry is None:
                _missing_entry(frame, value, name)
            return entry
        return _member(frame, value, name)

    return read


def _missing_entry(frame: Frame, context: Mapping[str, Value], name: str) -> None:
    run = run_of(frame)
    if run.warnings is not None and name not in context:
        run.warn("no-entry", f"the context has no entry `{name}`{did_you_mean(name, context)}")


def _member(frame: Frame, value: Value, name: str) -> Value:
    """`name` of anything: of each item of a list, of a context, of a temporal value or a range."""
    if is_list(value):
        run_of(frame).charge(len(value))
        return [_member(frame, item, name) for item in value]
    if is_context(value):
        if name not in value:
            _missing_entry(frame, value, name)
        return value.get(name)
    found = property_of(value, name)
    if found is NO_PROPERTY:
        run = run_of(frame)
        if value is None:
            run.warn("no-entry", f"cannot read `{name}` of null")
        else:
            run.warn("no-property", f"a {type_of(value)} has no property `{name}`")
        return None
    return found
