"""FEEL, the expression language of DMN and Camunda 8, in Python: exact, fast and safe.

    >>> import feel
    >>> feel.compile("= price * amount").evaluate({"price": 3, "amount": 4})
    12

Flow: text → `lexer` → `parser` → `syntax` → `compiler` → closures, run over the caller's context.
What is missing or of the wrong type is null, never an error; `Expression.explain` says why.
The package stands alone: it imports nothing of the rest of the project.
"""

from __future__ import annotations

from collections.abc import Iterable

from feel.errors import (
    AssertionFailed,
    FeelError,
    FeelEvaluationError,
    FeelSyntaxError,
    FunctionFailed,
    FunctionUnavailable,
    LimitExceeded,
    NotJson,
)
from feel.expression import (
    Explanation,
    Expression,
    UnaryTestsExpression,
    compile_tests,
    compile_text,
)
from feel.json_values import Json, to_json
from feel.limits import Limits
from feel.run import EvaluationWarning
from feel.values import Function, Range, Value, YearsMonths

__all__ = [
    "AssertionFailed",
    "EvaluationWarning",
    "Explanation",
    "Expression",
    "FeelError",
    "FeelEvaluationError",
    "FeelSyntaxError",
    "Function",
    "FunctionFailed",
    "FunctionUnavailable",
    "Json",
    "LimitExceeded",
    "Limits",
    "NotJson",
    "Range",
    "UnaryTestsExpression",
    "Value",
    "YearsMonths",
    "compile",
    "to_json",
    "unary_tests",
]


def compile(text: str, *, names: Iterable[str] = ()) -> Expression:  # noqa: A001 - as `re.compile`
    """The compiled expression of `text`, from a cache when it was compiled before.

    Args:
        text: the expression; blanks around it and a leading `=` are allowed.
        names: names of variables with blanks or operators in them that the text uses without
            backticks, as DMN allows and Camunda does not.

    Raises:
        FeelSyntaxError: the text is not FEEL; says where and what was expected.
        LimitExceeded: the text is too long or nested too deeply.
    """
    return compile_text(text, tuple(names))


def unary_tests(text: str, *, names: Iterable[str] = ()) -> UnaryTestsExpression:
    """The compiled unary tests of `text`, such as `< 5, [10..20]`; otherwise as `compile`."""
    return compile_tests(text, tuple(names))
