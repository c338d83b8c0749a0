"""Tests of a value: `value in test`, unary tests, `instance of`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from feel.comparison import equal
from feel.compiler.code import INPUT, RUN, Code, Frame, Scope, compile_node, run_of
from feel.compiler.names import input_slot
from feel.compiler.operators import ordering
from feel.ranges import range_includes
from feel.run import Run, warn_operands
from feel.syntax import (
    In,
    InputValue,
    InstanceOf,
    Node,
    RangeLiteral,
    UnaryComparison,
    UnaryTests,
)
from feel.types import is_instance
from feel.values import Range, Value, is_list


def in_code(node: In, scope: Scope) -> Code:
    """The code of `value in tests`."""
    value = compile_node(node.value, scope)
    inner = scope.with_locals(INPUT)
    slot = inner.slot
    passes = any_passes([_test(test, inner) for test in node.tests])

    def decide(frame: Frame) -> Value:
        frame[slot] = value(frame)
        return passes(frame)

    return decide


def unary_tests_code(node: UnaryTests, scope: Scope) -> Code:
    """The code of unary tests; `scope` has the value under test."""
    if not node.tests:
        return lambda _frame: True
    passes = any_passes([_test(test, scope) for test in node.tests])
    if not node.negated:
        return passes

    def decide(frame: Frame) -> Value:
        outcome = passes(frame)
        return None if outcome is None else not outcome

    return decide


def any_passes(tests: Sequence[Code]) -> Code:
    """True when one of the tests is; null when none is and one of them is null."""
    if len(tests) == 1:
        return tests[0]

    def decide(frame: Frame) -> Value:
        outcome: bool | None = False
        for test in tests:
            passed = test(frame)
            if passed is True:
                return True
            outcome = None if passed is None else outcome
        return outcome

    return decide


def _test(node: Node, scope: Scope) -> Code:
    """The code of one test: true, false or null for the value under test."""
    slot = input_slot(scope) or 0
    code, looks = _compiled(node, slot, scope)
    if looks:
        return lambda frame: outcome if isinstance(outcome := code(frame), bool) else None
    if isinstance(node, RangeLiteral):
        return _in_range(code, slot)
    return lambda frame: _matches(frame[RUN], frame[slot], code(frame))


def _compiled(node: Node, slot: int, scope: Scope) -> tuple[Code, bool]:
    """The code of a test, and whether it looks at the value under test itself, in `slot`."""
    looked_at = scope.program.inputs_read
    before = slot in looked_at
    looked_at.discard(slot)
    code = compile_node(node, scope)
    looks = slot in looked_at
    if before:
        looked_at.add(slot)
    return code, looks


def _in_range(code: Code, slot: int) -> Code:
    def decide(frame: Frame) -> Value:
        interval = code(frame)
        return None if interval is None else range_includes(interval, frame[slot])

    return decide


def _matches(run: Run, value: Value, wanted: Value) -> bool | None:
    """Whether a value passes a test that came to `wanted` without looking at the value.

    As on Camunda, a test that is true passes any value, and one that is false passes only false.
    """
    if isinstance(wanted, bool):
        return wanted or value is False
    if isinstance(wanted, Range):
        return range_includes(wanted, value)
    if is_list(wanted):
        run.charge(len(wanted))
        return equal(run, value, wanted) is True or any(
            equal(run, value, item) is True
            or (isinstance(item, Range) and range_includes(item, value) is True)
            for item in wanted
        )
    return equal(run, value, wanted)


def comparison_code(node: UnaryComparison, scope: Scope) -> Code:
    """The code of `< a` and its like; null where no value is under test."""
    operand = compile_node(node.operand, scope)
    if input_slot(scope) is None:
        return _nothing_under_test
    subject = compile_node(InputValue(), scope)
    decide = _equality(node.operator) if node.operator in ("=", "!=") else ordering(node.operator)
    return lambda frame: decide(frame, subject(frame), operand(frame))


def _nothing_under_test(frame: Frame) -> None:
    run_of(frame).warn("wrong-argument", "a comparison without a left side needs a value to test")


def _equality(operator: str) -> Callable[[Frame, Value, Value], bool | None]:
    def decide(frame: Frame, a: Value, b: Value) -> bool | None:
        same = equal(frame[RUN], a, b)
        if same is None:
            warn_operands(frame[RUN], operator, a, b)
            return None
        return same is (operator == "=")

    return decide


def instance_code(node: InstanceOf, scope: Scope) -> Code:
    """The code of `value instance of type`."""
    value = compile_node(node.value, scope)
    wanted = node.type
    return lambda frame: is_instance(frame[RUN], value(frame), wanted)
