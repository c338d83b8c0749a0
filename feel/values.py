"""The values of FEEL as Python has them.

| FEEL | Python |
|---|---|
| null, boolean, string | `None`, `bool`, `str` |
| number | `int` where whole, else `Decimal` of 34 digits; `float` is taken in |
| date, time, date and time | `datetime.date`, `datetime.time`, `datetime.datetime` |
| days and time duration | `datetime.timedelta` |
| years and months duration | `YearsMonths` |
| list, context | `list`, `dict` (any `Sequence` or `Mapping` is taken in) |
| range, function | `Range`, `Function` |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

Value: TypeAlias = Any
"""A value of FEEL; its type is known only when it is there."""


@dataclass(frozen=True, slots=True, order=True)
class YearsMonths:
    """A years and months duration, in months; below zero when it goes back."""

    months: int

    def __str__(self) -> str:
        sign = "-" if self.months < 0 else ""
        years, months = divmod(abs(self.months), 12)
        if not years and not months:
            return "P0Y"
        return f"{sign}P" + (f"{years}Y" if years else "") + (f"{months}M" if months else "")


MAX_MONTHS: Final = 12 * 999_999_999
"""The longest years and months duration, as Java has it."""


def years_months(months: int) -> YearsMonths | None:
    """The duration of so many months; None beyond what Java can hold."""
    return YearsMonths(months) if abs(months) <= MAX_MONTHS else None


@dataclass(frozen=True, slots=True)
class Range:
    """A range; an end that is None is not bounded."""

    start: Value
    end: Value
    start_included: bool = True
    end_included: bool = True


@dataclass(frozen=True, slots=True)
class Function:
    """A function as a value, or one that the caller gives to `Expression.evaluate`.

    Attributes:
        name: its name, with blanks where it has some.
        parameters: names of the parameters in order, for calls with named arguments.
        call: takes the arguments by place and gives the result. It may raise `FunctionFailed`;
            anything else that it raises goes through the engine unchanged.
        required: how many of the parameters must be given, from the first on; None means all.
            Those left out are passed as None.
    """

    name: str
    parameters: tuple[str, ...]
    call: Callable[..., Value]
    required: int | None = None

    def takes(self, count: int) -> bool:
        """Whether it can be called with `count` arguments."""
        least = len(self.parameters) if self.required is None else self.required
        return least <= count <= len(self.parameters)


def is_list(value: Value) -> bool:
    """Whether the value is a list."""
    return type(value) is list or (isinstance(value, Sequence) and not isinstance(value, str))


def is_context(value: Value) -> bool:
    """Whether the value is a context."""
    return type(value) is dict or isinstance(value, Mapping)


_TYPES: list[tuple[type | tuple[type, ...], str]] = [
    (bool, "boolean"),
    (str, "string"),
    ((int, float, Decimal), "number"),
    (datetime, "date and time"),
    (date, "date"),
    (time, "time"),
    (timedelta, "days and time duration"),
    (YearsMonths, "years and months duration"),
    (Mapping, "context"),
    (Sequence, "list"),
    (Range, "range"),
]


def type_of(value: Value) -> str:
    """The name that FEEL has for the type of a value."""
    if value is None:
        return "null"
    for python_type, name in _TYPES:
        if isinstance(value, python_type):
            return name
    return "function" if callable(value) or isinstance(value, Function) else type(value).__name__
