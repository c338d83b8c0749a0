"""Compiled expressions and unary tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from feel.compiler import Code, compile_expression, compile_unary_tests
from feel.errors import LimitExceeded
from feel.limits import Limits
from feel.parser import parse_expression, parse_unary_tests
from feel.run import EvaluationWarning, Run
from feel.syntax import Node, UnaryTests
from feel.values import Function, Value

_EMPTY: Mapping[str, Value] = {}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A result and why parts of it are null.

    Attributes:
        value: the result.
        warnings: what went wrong on the way, in the order of evaluation.
    """

    value: Value
    warnings: tuple[EvaluationWarning, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Expression:
    """A compiled expression: immutable, to be used from any number of tasks and threads.

    Attributes:
        text: the text that it was compiled from.
        syntax: its parts.
    """

    text: str
    syntax: Node
    _code: Code
    _padding: tuple[None, ...]

    def evaluate(
        self,
        context: Mapping[str, Value] | None = None,
        *,
        functions: Mapping[str, Function] | None = None,
        limits: Limits | None = None,
    ) -> Value:
        """The value of the expression.

        Args:
            context: the variables by name; never copied and never changed. The result may share
                parts of it.
            functions: functions by name that the expression may call beside the built-in ones,
                before which they come.
            limits: how much the evaluation may use; `Limits()` when left out.

        Raises:
            FeelEvaluationError: an `assert` did not hold, a function refused, a limit was reached.
        """
        return _run(self._code, self._padding, context, Run(limits, functions))

    def explain(
        self,
        context: Mapping[str, Value] | None = None,
        *,
        functions: Mapping[str, Function] | None = None,
        limits: Limits | None = None,
    ) -> Explanation:
        """The value, and why parts of it came to null; otherwise as `evaluate`."""
        warnings: list[EvaluationWarning] = []
        value = _run(self._code, self._padding, context, Run(limits, functions, warnings))
        return Explanation(value, tuple(dict.fromkeys(warnings)))

    def __repr__(self) -> str:
        return f"feel.compile({self.text!r})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class UnaryTestsExpression:
    """Compiled unary tests, as in the input entry of a decision table; immutable.

    Attributes:
        text: the text that they were compiled from.
        syntax: their parts.
    """

    text: str
    syntax: UnaryTests
    _code: Code
    _padding: tuple[None, ...]

    def evaluate(
        self,
        value: Value,
        context: Mapping[str, Value] | None = None,
        *,
        functions: Mapping[str, Function] | None = None,
        limits: Limits | None = None,
    ) -> bool | None:
        """Whether `value` passes; None when that cannot be said. Otherwise as an expression."""
        outcome = _run(self._code, [value, *self._padding], context, Run(limits, functions))
        return outcome if isinstance(outcome, bool) else None

    def __repr__(self) -> str:
        return f"feel.unary_tests({self.text!r})"


def _run(
    code: Code, padding: Iterable[Value], context: Mapping[str, Value] | None, run: Run
) -> Value:
    try:
        return code([_EMPTY if context is None else context, run, *padding])
    except RecursionError:
        raise LimitExceeded("nesting", "the evaluation is nested too deeply") from None


@lru_cache(maxsize=2048)
def compile_text(text: str, names: tuple[str, ...] = ()) -> Expression:
    """The compiled expression of `text`; see `feel.compile`."""
    try:
        syntax = parse_expression(text, names)
        code, slots = compile_expression(syntax)
        return Expression(text, syntax, code, (None,) * slots)
    except RecursionError:
        raise LimitExceeded("nesting", "the expression is nested too deeply") from None


@lru_cache(maxsize=2048)
def compile_tests(text: str, names: tuple[str, ...] = ()) -> UnaryTestsExpression:
    """The compiled unary tests of `text`; see `feel.unary_tests`."""
    try:
        syntax = parse_unary_tests(text, names)
        code, slots = compile_unary_tests(syntax)
        return UnaryTestsExpression(text, syntax, code, (None,) * (slots - 1))
    except RecursionError:
        raise LimitExceeded("nesting", "the unary tests are nested too deeply") from None
