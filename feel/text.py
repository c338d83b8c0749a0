from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Final

from feel import numbers
from feel.numbers import as_number
from feel.temporal import format_temporal
from feel.values import Function, Range, Value, YearsMonths, is_context, is_list

_CHARS_AN_ITEM: Final = 32
"""What an item of a list or an entry of a context is charged, beside the texts in it."""


def text_of(value: Value, charge: Callable[[int], None]) -> str:
    """What `string` makes of a value other than null; texts inside it stand in quotes.

    Args:
        value: the value.
        charge: told the number of characters before each part is made; ends the work by raising.
            Nested values may be the same object many times over, so their text may have no end.
    """
    if isinstance(value, str):
        return value
    return _nested(value, charge)


def _nested(value: Value, charge: Callable[[int], None]) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        charge(len(value))
        return f'"{value}"'
    if isinstance(value, int | float | Decimal):
        number = as_number(value)
        return "null" if number is None else numbers.text_of(number)
    if isinstance(value, date | time | timedelta | YearsMonths):
        return format_temporal(value)
    return _compound(value, charge)


def _compound(value: Value, charge: Callable[[int], None]) -> str:
    if is_context(value):
        charge(_CHARS_AN_ITEM * len(value))
        entries = (f"{key}:{_nested(entry, charge)}" for key, entry in value.items())
        return "{" + ", ".join(entries) + "}"
    if is_list(value):
        charge(_CHARS_AN_ITEM * len(value))
        return "[" + ", ".join(_nested(item, charge) for item in value) + "]"
    if isinstance(value, Range):
        start = "[" if value.start_included else "("
        end = "]" if value.end_included else ")"
        return f"{start}{_nested(value.start, charge)}..{_nested(value.end, charge)}{end}"
    if isinstance(value, Function):
        return f"function({', '.join(value.parameters)})"
    return str(value)
