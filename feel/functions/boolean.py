from __future__ import annotations

from feel.errors import AssertionFailed
from feel.functions.registry import Category
from feel.run import Run
from feel.values import Value

BOOLEAN = Category("Boolean functions")


@BOOLEAN.function("not", "negand: any", ("not(true)", "false"), ("not(null)", "null"))
def negation(_run: Run, negand: Value) -> bool | None:
    """The negation of a boolean; null of anything else."""
    return not negand if isinstance(negand, bool) else None


@BOOLEAN.function(
    "is defined", "value: any", ("is defined(1)", "true"), ("is defined(missing.part)", "false")
)
def is_defined(_run: Run, value: Value) -> bool:
    """Whether a value is not null; a variable or entry that is not there is null."""
    return value is not None


@BOOLEAN.function(
    "get or else", "value: any, default: any", ('get or else(null, "default")', '"default"')
)
def get_or_else(_run: Run, value: Value, default: Value) -> Value:
    """The value, or the default when the value is null."""
    return default if value is None else value


@BOOLEAN.function("assert", "value: any, condition: any", ("assert(4, 4 >= 0)", "4"))
def assert_condition(_run: Run, value: Value, condition: Value) -> Value:
    """The value when the condition is true; otherwise the evaluation fails."""
    if condition is not True:
        raise AssertionFailed("the condition of `assert` does not hold")
    return value


@BOOLEAN.function(
    "assert",
    "value: any, condition: any, cause: any",
    ("assert(4, 4 >= 0, \"'x' should be positive\")", "4"),
)
def assert_with_cause(_run: Run, value: Value, condition: Value, cause: Value) -> Value:
    """The value when the condition is true; otherwise the evaluation fails with the cause."""
    if condition is not True:
        raise AssertionFailed(
            cause if isinstance(cause, str) else "the condition of `assert` does not hold"
        )
    return value
