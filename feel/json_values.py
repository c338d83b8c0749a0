from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Final, TypeAlias, cast

from feel.errors import LimitExceeded, NotJson
from feel.temporal import format_temporal
from feel.text import text_of
from feel.values import Function, Range, Value, YearsMonths, is_context, is_list, type_of

Json: TypeAlias = "int | float | str | bool | list[Json] | dict[str, Json] | None"

MAX_JSON_VALUES: Final = 1_000_000
"""Values in one result: a list that holds one list twice and so on may have no end."""


def to_json(value: Value) -> Json:
    """The plain JSON value of a result: `int`, `float`, `str`, `bool`, `None`, `list`, `dict`.

    Whole numbers stay exact; other numbers become the nearest `float`. Temporal values and ranges
    become their text.

    Raises:
        NotJson: the value is or holds a function, a number that is not finite, or another object.
        LimitExceeded: it has more than `MAX_JSON_VALUES` values or is nested too deeply.
    """
    try:
        return cast("Json", _Plain().of(value))
    except RecursionError:
        raise LimitExceeded("nesting", "the result is nested too deeply to be JSON") from None


class _Plain:
    """Makes plain values and counts them."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_JSON_VALUES

    def of(self, value: Value) -> Value:
        if isinstance(value, str):
            return value if value.isascii() else _encodable(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return int(value)
        if is_context(value):
            self.charge(len(value))
            return {str(key): self.of(entry) for key, entry in value.items()}
        if is_list(value):
            self.charge(len(value))
            return [self.of(item) for item in value]
        return self._other(value)

    def charge(self, values: int) -> None:
        self.left -= values
        if self.left < 0:
            raise LimitExceeded("list_items", f"a result may have {MAX_JSON_VALUES} values")

    def _other(self, value: Value) -> Value:
        if isinstance(value, float | Decimal):
            return _number(value)
        if isinstance(value, date | time | timedelta | YearsMonths):
            return format_temporal(value)
        if isinstance(value, Range):
            return text_of(value, self.charge)
        what = "a function" if isinstance(value, Function) else f"a value of type {type_of(value)}"
        raise NotJson(f"{what} has no JSON form")


def _encodable(text: str) -> str:
    """The text, a half of a UTF-16 pair in it replaced: UTF-8, and so JSON, cannot carry it."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _number(value: float | Decimal) -> int | float:
    if isinstance(value, Decimal):
        if value.is_finite() and value == value.to_integral_value():
            return int(value)
        value = float(value)
    if not isfinite(value):
        raise NotJson("a number that is not finite has no JSON form")
    return value
