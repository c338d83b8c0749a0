"""FEEL as the elements use it: evaluated in an instance's scope, checked for the wanted type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import feel
from devstack.bpmn.expression import Expression
from devstack.bpmn.timers import Interval, parse_date_time_ms, parse_interval
from devstack.engine.failure import ElementFailure, ErrorType

_WARNINGS = {
    "no-variable": "NO_VARIABLE_FOUND",
    "no-entry": "NO_CONTEXT_ENTRY_FOUND",
    "no-property": "NO_PROPERTY_FOUND",
    "no-function": "NO_FUNCTION_FOUND",
    "wrong-argument": "FUNCTION_INVOCATION_FAILURE",
}
"""FEEL's reasons for null under the names that Zeebe's incidents give them."""


def evaluate(
    expression: Expression,
    variables: Mapping[str, Any],
    error_type: ErrorType = ErrorType.EXTRACT_VALUE_ERROR,
) -> Any:  # noqa: ANN401 - any JSON value
    """The value as JSON.

    Raises:
        ElementFailure: The evaluation itself fails, as `assert` does.
    """
    try:
        return expression.evaluate(variables)
    except feel.FeelError as error:
        message = f"Failed to evaluate expression '{expression.text}': {error}"
        raise ElementFailure(error_type, message) from error


def text(expression: Expression, variables: Mapping[str, Any]) -> str:
    """The value, which must be a string."""
    value = evaluate(expression, variables)
    if not isinstance(value, str):
        raise _mismatch(expression, "STRING", value, variables)
    return value


def boolean(expression: Expression, variables: Mapping[str, Any]) -> bool:
    """The value, which must be true or false."""
    value = evaluate(expression, variables)
    if not isinstance(value, bool):
        raise _mismatch(expression, "BOOLEAN", value, variables)
    return value


def integer(expression: Expression, variables: Mapping[str, Any]) -> int:
    """The value, which must be a whole number; fixed text is read as one."""
    value = evaluate(expression, variables)
    if expression.is_static:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mismatch(expression, "NUMBER", value, variables)
    if value != int(value):
        message = (
            f"Expected result of the expression '{expression.text}' to be an integer, "
            "but was a decimal."
        )
        raise ElementFailure(ErrorType.EXTRACT_VALUE_ERROR, message)
    return int(value)


def array(expression: Expression, variables: Mapping[str, Any]) -> list[Any]:
    """The value, which must be a list."""
    value = evaluate(expression, variables)
    if not isinstance(value, list):
        raise _mismatch(expression, "ARRAY", value, variables)
    return value


def names(expression: Expression | None, variables: Mapping[str, Any]) -> list[str]:
    """A list of strings; fixed text is one with commas between them."""
    if expression is None:
        return []
    if expression.is_static:
        return [name.strip() for name in expression.text.split(",") if name.strip()]
    value = array(expression, variables)
    if not all(isinstance(name, str) for name in value):
        message = (
            f"Expected result of the expression '{expression.text}' to be 'ARRAY' containing "
            "'STRING' items, but was 'ARRAY' containing at least one non-'STRING' item."
        )
        raise ElementFailure(ErrorType.EXTRACT_VALUE_ERROR, message)
    return value


def date_time(expression: Expression | None, variables: Mapping[str, Any]) -> str:
    """An ISO 8601 date and time as it was given; empty text for none."""
    if expression is None:
        return ""
    value = evaluate(expression, variables)
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise _mismatch(expression, "[NULL, DATE_TIME, STRING]", value, variables)
    _parse_date_time_ms(expression, value)
    return value


def date_time_ms(expression: Expression, variables: Mapping[str, Any]) -> int:
    """A date and time in milliseconds since 1970 UTC."""
    value = evaluate(expression, variables)
    if not isinstance(value, str):
        raise _mismatch(expression, "[DATE_TIME, STRING]", value, variables)
    return _parse_date_time_ms(expression, value)


def _parse_date_time_ms(expression: Expression, text: str) -> int:
    try:
        return parse_date_time_ms(text)
    except ValueError as error:
        message = f"Invalid date-time format '{text}' for expression '{expression.text}'."
        raise ElementFailure(ErrorType.EXTRACT_VALUE_ERROR, message) from error


def interval(expression: Expression, variables: Mapping[str, Any]) -> Interval:
    """A duration or period."""
    value = evaluate(expression, variables)
    if not isinstance(value, str):
        raise _mismatch(expression, "[DURATION, PERIOD, STRING]", value, variables)
    try:
        return parse_interval(value)
    except ValueError as error:
        message = f"Invalid duration format '{value}' for expression '{expression.text}'."
        raise ElementFailure(ErrorType.EXTRACT_VALUE_ERROR, message) from error


def _mismatch(
    expression: Expression,
    wanted: str,
    value: Any,  # noqa: ANN401 - any JSON value
    variables: Mapping[str, Any],
) -> ElementFailure:
    to_be = f"to be one of '{wanted}'" if wanted.startswith("[") else f"to be '{wanted}'"
    message = (
        f"Expected result of the expression '{expression.text}' {to_be}, but was '{_type(value)}'."
    )
    reasons = [
        f"[{_WARNINGS.get(each.kind, 'INVALID_TYPE')}] {each.message}"
        for each in expression.warnings(variables)
    ]
    if reasons:
        message += " The evaluation reported the following warnings:\n" + "\n".join(reasons)
    return ElementFailure(ErrorType.EXTRACT_VALUE_ERROR, message)


def _type(value: Any) -> str:  # noqa: ANN401 - any JSON value
    match value:
        case None:
            return "NULL"
        case bool():
            return "BOOLEAN"
        case int() | float():
            return "NUMBER"
        case str():
            return "STRING"
        case list():
            return "ARRAY"
        case _:
            return "OBJECT"
