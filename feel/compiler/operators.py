"""Arithmetic, comparisons and logic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from feel.arithmetic import add, divide, multiply, negate, power, subtract
from feel.comparison import compare, equal
from feel.compiler.code import RUN, Code, Frame, Scope, compile_node, run_of
from feel.numbers import EXACT, negative
from feel.run import Run, warn_operands
from feel.syntax import (
    Between,
    Binary,
    In,
    InstanceOf,
    Negation,
    Node,
    NumberLiteral,
    StringLiteral,
)
from feel.values import Value, type_of

_Operation = Callable[[Run, Value, Value], Value]


def binary_code(node: Binary, scope: Scope) -> Code:
    """The code of two operands and an operator."""
    left = compile_node(node.left, scope)
    if node.operator in ("=", "!="):
        return _equality(node, left, scope)
    right = compile_node(node.right, scope)
    return _BINARIES[node.operator](left, right)


def _arithmetic(operation: _Operation) -> Callable[[Code, Code], Code]:
    def make(left: Code, right: Code) -> Code:
        def calculate(frame: Frame) -> Value:
            return operation(frame[RUN], left(frame), right(frame))

        return calculate

    return make


def _sum(left: Code, right: Code) -> Code:
    def calculate(frame: Frame) -> Value:
        a, b = left(frame), right(frame)
        if type(a) is int and type(b) is int and -EXACT < (total := a + b) < EXACT:
            return total
        return add(frame[RUN], a, b)

    return calculate


def _equality(node: Binary, left: Code, scope: Scope) -> Code:
    wanted = node.operator == "="
    if isinstance(node.right, StringLiteral):
        return _equals_text(left, node.right.value, wanted=wanted)
    right = compile_node(node.right, scope)

    def decide(frame: Frame) -> Value:
        a, b = left(frame), right(frame)
        same = equal(frame[RUN], a, b)
        if same is None:
            warn_operands(frame[RUN], node.operator, a, b)
            return None
        return same is wanted

    return decide


def _equals_text(left: Code, text: str, *, wanted: bool) -> Code:
    operator = "=" if wanted else "!="

    def decide(frame: Frame) -> Value:
        value = left(frame)
        if type(value) is str:
            return (value == text) is wanted
        if value is None:
            return not wanted
        warn_operands(frame[RUN], operator, value, text)
        return None

    return decide


_HOLDS: Final[dict[str, frozenset[int]]] = {
    "<": frozenset([-1]),
    "<=": frozenset([-1, 0]),
    ">": frozenset([1]),
    ">=": frozenset([0, 1]),
}


def ordering(operator: str) -> Callable[[Frame, Value, Value], bool | None]:
    """Decides `a operator b`; None, with a warning, when the two have no order."""
    holds = _HOLDS[operator]

    def decide(frame: Frame, a: Value, b: Value) -> bool | None:
        order = compare(a, b)
        if order is None:
            warn_operands(frame[RUN], operator, a, b)
            return None
        return order in holds

    return decide


def _comparison(operator: str) -> Callable[[Code, Code], Code]:
    decide = ordering(operator)

    def make(left: Code, right: Code) -> Code:
        return lambda frame: decide(frame, left(frame), right(frame))

    return make


def _and(left: Code, right: Code) -> Code:
    def decide(frame: Frame) -> Value:
        a = left(frame)
        if a is False:
            return False
        b = right(frame)
        if b is False:
            return False
        return True if a is True and b is True else _undecided(frame, "and", a, b)

    return decide


def _or(left: Code, right: Code) -> Code:
    def decide(frame: Frame) -> Value:
        a = left(frame)
        if a is True:
            return True
        b = right(frame)
        if b is True:
            return True
        return False if a is False and b is False else _undecided(frame, "or", a, b)

    return decide


def _undecided(frame: Frame, operator: str, a: Value, b: Value) -> None:
    for value in (a, b):
        if value is not None and not isinstance(value, bool):
            run_of(frame).warn(
                "not-boolean", f"`{operator}` takes booleans, not a {type_of(value)}"
            )


def between_code(node: Between, scope: Scope) -> Code:
    """The code of `value between low and high`."""
    value = compile_node(node.value, scope)
    low = compile_node(node.low, scope)
    high = compile_node(node.high, scope)
    at_least, at_most = ordering(">="), ordering("<=")

    def decide(frame: Frame) -> Value:
        subject = value(frame)
        above = at_least(frame, subject, low(frame))
        below = at_most(frame, subject, high(frame))
        if above is False or below is False:
            return False
        return True if above and below else None

    return decide


def negation_code(node: Negation, scope: Scope) -> Code:
    """The code of `-a`; of a number that is written out, its negative."""
    operand = compile_node(node.operand, scope)
    if isinstance(node.operand, NumberLiteral):
        value = negative(node.operand.value)
        return lambda _frame: value
    return lambda frame: negate(frame[RUN], operand(frame))


def is_condition(node: Node) -> bool:
    """Whether a part can only come to true, false or null."""
    return isinstance(node, Between | In | InstanceOf) or (
        isinstance(node, Binary) and node.operator in _CONDITIONS
    )


_CONDITIONS = frozenset(["=", "!=", "<", "<=", ">", ">=", "and", "or"])
_BINARIES: Final[dict[str, Callable[[Code, Code], Code]]] = {
    "+": _sum,
    "-": _arithmetic(subtract),
    "*": _arithmetic(multiply),
    "/": _arithmetic(divide),
    "**": _arithmetic(power),
    "and": _and,
    "or": _or,
    **{operator: _comparison(operator) for operator in _HOLDS},
}
