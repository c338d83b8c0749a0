"""`list[condition]` and `list[index]`."""

from __future__ import annotations

from collections.abc import Sequence

from feel.compiler.code import (
    NO_ITEM,
    Code,
    Frame,
    Scope,
    compile_weighed,
    run_of,
)
from feel.compiler.names import borrowed
from feel.compiler.operators import is_condition
from feel.numbers import Number, add, as_number, negative, subtract
from feel.syntax import Call, Filter, Negation, NumberLiteral
from feel.values import Value, is_list, type_of


def filter_code(node: Filter, scope: Scope) -> Code:
    """The code of a filter: by index when the condition is a number, else by condition."""
    base = borrowed(node.base, scope)
    index = _written_index(node)
    if index is not None:
        return _by_index(base, index)
    inner = scope.with_item()
    condition, weight = compile_weighed(node.condition, inner)
    if is_condition(node.condition):
        return _by_condition(base, condition, inner.slot, weight + 1)
    outside = not isinstance(node.condition, Call)
    return _by_either(base, condition, inner.slot, weight + 1, outside=outside)


def _written_index(node: Filter) -> Number | None:
    if isinstance(node.condition, NumberLiteral):
        return node.condition.value
    if isinstance(node.condition, Negation) and isinstance(node.condition.operand, NumberLiteral):
        return negative(node.condition.operand.value)
    return None


def _by_index(base: Code, index: Number) -> Code:
    def pick(frame: Frame) -> Value:
        items = base(frame)
        if type(items) is list or is_list(items):
            return item_at(items, index)
        _warn_no_list(frame, items)
        return None

    return pick


def item_at(items: Sequence[Value], index: Number) -> Value:
    """The item at a place: 1 is the first, -1 the last; null where there is none."""
    place = subtract(index, 1) if index > 0 else add(len(items), index)
    return items[int(place)] if 0 <= place < len(items) else None


def _by_condition(base: Code, condition: Code, slot: int, weight: int) -> Code:
    def select(frame: Frame) -> Value:
        items = base(frame)
        if not (type(items) is list or is_list(items)):
            _warn_no_list(frame, items)
            return None
        run_of(frame).charge(len(items) * weight)
        outer = frame[slot]
        kept = [item for item in items if _holds(frame, slot, item, condition)]
        frame[slot] = outer
        return kept

    return select


def _holds(frame: Frame, slot: int, item: Value, condition: Code) -> bool:
    frame[slot] = item
    return condition(frame) is True


def _by_either(base: Code, condition: Code, slot: int, weight: int, *, outside: bool) -> Code:
    """Filter by a part that may be an index.

    As on Camunda, the variables outside decide first, where the part is no call, whatever the
    items have under the same names: `[{n: 1}, {n: 2}][n]` is the second where `n` is 2. Then the
    first item decides.
    """
    select = _by_condition(lambda frame: frame[slot], condition, slot, weight)

    def pick(frame: Frame) -> Value:
        items = base(frame)
        if not (type(items) is list or is_list(items)):
            _warn_no_list(frame, items)
            return None
        index = _index_outside(frame, slot, condition, weight) if outside else None
        if index is None:
            frame[slot] = items[0] if items else None
            index = as_number(condition(frame))
        if index is not None:
            return item_at(items, index)
        frame[slot] = items
        return select(frame)

    return pick


def _index_outside(frame: Frame, slot: int, condition: Code, weight: int) -> Number | None:
    """The number that a part comes to as if there were no item; it warns of nothing."""
    run = run_of(frame)
    run.charge(weight)
    warnings, run.warnings = run.warnings, None
    outer, frame[slot] = frame[slot], NO_ITEM
    index = as_number(condition(frame))
    run.warnings, frame[slot] = warnings, outer
    return index


def _warn_no_list(frame: Frame, value: Value) -> None:
    run_of(frame).warn("wrong-type", f"only a list can be filtered, not {type_of(value)}")
