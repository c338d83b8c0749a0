from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal

from feel import numbers
from feel.numbers import as_number
from feel.temporal import format_temporal
from feel.values import Function, Range, Value, YearsMonths, is_context, is_list


def text_of(value: Value) -> str:
    """What `string` makes of a value other than null; texts inside it stand in quotes."""
    if isinstance(value, str):
        return value
    return _nested(value)


def _nested(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, int | float | Decimal):
        number = as_number(value)
        return "null" if number is None else numbers.text_of(number)
    if isinstance(value, date | time | timedelta | YearsMonths):
        return format_temporal(value)
    return _compound(value)


def _compound(value: Value) -> str:
    if is_context(value):
        return "{" + ", ".join(f"{key}:{_nested(entry)}" for key, entry in value.items()) + "}"
    if is_list(value):
        return "[" + ", ".join(_nested(item) for item in value) + "]"
    if isinstance(value, Range):
        start = "[" if value.start_included else "("
        end = "]" if value.end_included else ")"
        return f"{start}{_nested(value.start)}..{_nested(value.end)}{end}"
    if isinstance(value, Function):
        return f"function({', '.join(value.parameters)})"
    return str(value)
