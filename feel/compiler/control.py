"""`if`, `for`, `some` and `every`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final

from feel.compiler.code import (
    PARTIAL,
    Code,
    Frame,
    Scope,
    compile_node,
    compile_weighed,
    run_of,
)
from feel.numbers import add, as_number, size, subtract
from feel.syntax import Counting, For, If, Iterator, Quantified
from feel.values import Value, is_list, type_of

_ROUNDS_BETWEEN_LOOKS: Final = 1_000


def if_code(node: If, scope: Scope) -> Code:
    """The code of `if`; what is not true counts as false."""
    condition = compile_node(node.condition, scope)
    then = compile_node(node.then, scope)
    otherwise = compile_node(node.otherwise, scope)

    def choose(frame: Frame) -> Value:
        decision = condition(frame)
        if decision is True:
            return then(frame)
        if decision is not False:
            run_of(frame).warn(
                "not-boolean", f"`if` takes a boolean, not {type_of(decision)}: `else` is taken"
            )
        return otherwise(frame)

    return choose


def for_code(node: For, scope: Scope) -> Code:
    """The code of `for`."""
    sources, inner = _iterators(node.iterators, scope)
    inner = inner.with_locals(PARTIAL)
    partial = inner.slot
    body, weight = compile_weighed(node.body, inner)
    if partial not in scope.program.partials and len(sources) == 1:
        return _simple_for(sources[0], body, weight)

    def loop(frame: Frame) -> Value:
        results: list[Value] = []
        frame[partial] = results
        finished = _rounds(frame, sources, weight, lambda: results.append(body(frame)))
        return results if finished else None

    return loop


def _simple_for(source: _Source, body: Code, weight: int) -> Code:
    slot = source.slot

    def loop(frame: Frame) -> Value:
        items = source.items(frame)
        if items is None:
            return None
        run = run_of(frame)
        run.charge_items(len(items))
        run.charge(len(items) * weight)
        if len(items) <= _ROUNDS_BETWEEN_LOOKS:
            return [body(frame) for frame[slot] in items]
        results: list[Value] = []
        rest = iter(items)
        while chunk := [body(frame) for frame[slot] in islice(rest, _ROUNDS_BETWEEN_LOOKS)]:
            results += chunk
            run.look_at_clock()
        return results

    return loop


def quantified_code(node: Quantified, scope: Scope) -> Code:
    """The code of `some` and `every`."""
    sources, inner = _iterators(node.iterators, scope)
    condition, weight = compile_weighed(node.condition, inner)
    decisive = node.kind == "some"

    def decide(frame: Frame) -> Value:
        undecided = False

        def look() -> bool:
            nonlocal undecided
            value = condition(frame)
            if value is decisive:
                return True
            undecided = undecided or value is not (not decisive)
            return False

        outcome = _rounds(frame, sources, weight, look)
        if outcome is None:
            return None
        if outcome is _STOPPED:
            return decisive
        return None if undecided else not decisive

    return decide


class _Source:
    """Where an iteration takes its items from, and the slot that it puts them into."""

    __slots__ = ("items", "slot")

    def __init__(self, items: Callable[[Frame], Sequence[Value] | None], slot: int) -> None:
        self.items = items
        self.slot = slot


def _iterators(iterators: Iterable[Iterator], scope: Scope) -> tuple[list[_Source], Scope]:
    """The sources, and the scope that has all their variables; each source sees those before."""
    sources: list[_Source] = []
    for iterator in iterators:
        items = _items(iterator, scope)
        scope = scope.with_locals(iterator.name)
        sources.append(_Source(items, scope.slot))
    return sources, scope


def _items(iterator: Iterator, scope: Scope) -> Callable[[Frame], Sequence[Value] | None]:
    if isinstance(iterator.source, Counting):
        return _counting(iterator.source, scope)
    source = compile_node(iterator.source, scope)

    def items(frame: Frame) -> Sequence[Value] | None:
        value = source(frame)
        if type(value) is list or is_list(value):
            return value  # type: ignore[no-any-return] # checked to be a list
        run_of(frame).warn("wrong-type", f"`{iterator.name} in` takes a list, not {type_of(value)}")
        return None

    return items


def _counting(node: Counting, scope: Scope) -> Callable[[Frame], Sequence[Value] | None]:
    start = compile_node(node.start, scope)
    end = compile_node(node.end, scope)

    def items(frame: Frame) -> Sequence[Value] | None:
        first, last = as_number(start(frame)), as_number(end(frame))
        if first is None or last is None:
            run_of(frame).warn("wrong-type", "`..` counts between numbers")
            return None
        rounds = int(size(subtract(last, first))) + 1
        if rounds > run_of(frame).limits.list_items:
            run_of(frame).charge_items(rounds)
        step = 1 if first <= last else -1
        if isinstance(first, int):
            return range(first, first + rounds * step, step)
        run_of(frame).charge(rounds)
        return [add(first, number * step) for number in range(rounds)]

    return items


_STOPPED: Final = object()


def _rounds(
    frame: Frame, sources: Sequence[_Source], weight: int, each: Callable[[], Value]
) -> object:
    """Call `each` for every combination of items, the last source changing fastest.

    Returns:
        None when a source is no list, `_STOPPED` when `each` returned true, else true.
    """
    source, inner = sources[0], sources[1:]
    items = source.items(frame)
    if items is None:
        return None
    run = run_of(frame)
    run.charge(len(items) * (1 if inner else weight + 1))
    for number, frame[source.slot] in enumerate(items):
        if number % _ROUNDS_BETWEEN_LOOKS == _ROUNDS_BETWEEN_LOOKS - 1:
            run.look_at_clock()
        outcome = _rounds(frame, inner, weight, each) if inner else each()
        if outcome is None and inner:
            return None
        if outcome is True and not inner:
            return _STOPPED
        if outcome is _STOPPED:
            return _STOPPED
    return True
