from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import TypeAlias, cast

from feel.errors import LimitExceeded, NotJson
from feel.temporal import format_temporal
from feel.text import text_of
from feel.values import Function, Range, Value, YearsMonths, is_context, is_list, type_of

Json: TypeAlias = "int | float | str | bool | list[Json] | dict[str, Json] | None"


def to_json(value: Value) -> Json:
    """The plain JSON value of a result: `int`, `float`, `str`, `bool`, `None`, `list`, `dict`.

    Whole numbers stay exact; other numbers become the nearest `float`. Temporal values and ranges
    become their text. Lists and contexts are new objects only where something in them changes.

    Raises:
        NotJson: the value is or holds a function, a number that is not finite, or another object.
        LimitExceeded: it is nested more deeply than Python can follow.
    """
    try:
        return cast("Json", _plain(value))
    except RecursionError:
        raise LimitExceeded("nesting", "the result is nested too deeply to be JSON") from None


def _plain(value: Value) -> Value:  # noqa: PLR0911 - a line for each type of value
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float | Decimal):
        return _number(value)
    if is_context(value):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if is_list(value):
        return [_plain(item) for item in value]
    if isinstance(value, date | time | timedelta | YearsMonths):
        return format_temporal(value)
    if isinstance(value, Range):
        return text_of(value)
    what = "a function" if isinstance(value, Function) else f"a value of type {type_of(value)}"
    raise NotJson(f"{what} has no JSON form")


def _number(value: float | Decimal) -> int | float:
    if isinstance(value, Decimal):
        if value.is_finite() and value == value.to_integral_value():
            return int(value)
        value = float(value)
    if not isfinite(value):
        raise NotJson("a number that is not finite has no JSON form")
    return value
