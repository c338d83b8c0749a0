"""Literals, lists, contexts and ranges."""

from __future__ import annotations

from feel.comparison import compare
from feel.compiler.code import Code, Frame, Scope, compile_node, run_of
from feel.syntax import (
    BooleanLiteral,
    ContextLiteral,
    ListLiteral,
    NullLiteral,
    NumberLiteral,
    RangeLiteral,
    StringLiteral,
    TemporalLiteral,
)
from feel.temporal import parse_temporal
from feel.values import Range, Value


def constant(value: Value) -> Code:
    """The code that gives `value`."""
    return lambda _frame: value


def null_code(_node: NullLiteral, _scope: Scope) -> Code:
    """The code of `null`."""
    return constant(None)


def plain_code(node: BooleanLiteral | NumberLiteral | StringLiteral, _scope: Scope) -> Code:
    """The code of a literal."""
    return constant(node.value)


def temporal_code(node: TemporalLiteral, _scope: Scope) -> Code:
    """The code of `@"…"`, which is null when the text is no temporal value."""
    value = parse_temporal(node.text)
    if value is not None:
        return constant(value)

    def warn(frame: Frame) -> None:
        run_of(frame).warn("wrong-argument", '`@"…"` holds no date, time or duration')

    return warn


def list_code(node: ListLiteral, scope: Scope) -> Code:
    """The code of `[a, b]`."""
    items = [compile_node(item, scope) for item in node.items]
    return lambda frame: [item(frame) for item in items]


def context_code(node: ContextLiteral, scope: Scope) -> Code:
    """The code of `{a: b}`; each entry sees those before it."""
    inner = scope.with_entries()
    slot = inner.slot
    entries: list[tuple[str, Code]] = []
    for key, value in node.entries:
        entries.append((key, compile_node(value, inner)))
        inner = inner.and_entry(key)
    scope.program.weight += 2 + len(entries)
    if len(entries) == 1:
        ((only, code),) = entries
        return lambda frame: {only: code(frame)}

    def build(frame: Frame) -> Value:
        context: dict[str, Value] = {}
        outer, frame[slot] = frame[slot], context
        for key, value in entries:
            context[key] = value(frame)
        frame[slot] = outer
        return context

    return build


def range_code(node: RangeLiteral, scope: Scope) -> Code:
    """The code of `[a..b]`, which is null when its ends have no order."""
    start = compile_node(node.start, scope)
    end = compile_node(node.end, scope)

    def build(frame: Frame) -> Value:
        first, last = start(frame), end(frame)
        if compare(first, last) is None:
            run_of(frame).warn("wrong-type", "the ends of a range must be of one ordered type")
            return None
        return Range(first, last, node.start_included, node.end_included)

    return build
