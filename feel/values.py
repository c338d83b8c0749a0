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
from typing import Any, TypeAlias

from feel.numbers import as_number

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


def equal(left: Value, right: Value) -> bool | None:
    """Whether two values are equal; None when their types cannot be compared."""
    if left is None or right is None:
        return left is right
    kind = type(left)
    if kind is type(right) and kind in _PLAIN:
        return bool(left == right)
    if (number := as_number(left)) is not None:
        other = as_number(right)
        return None if other is None else number == other
    if is_context(left):
        return _equal_contexts(left, right) if is_context(right) else None
    if is_list(left):
        return _equal_lists(left, right) if is_list(right) else None
    return _equal_others(left, right)


_PLAIN = frozenset([str, int, bool, date, timedelta, YearsMonths])


def _equal_others(left: Value, right: Value) -> bool | None:
    if type_of(left) != type_of(right):
        return None
    if isinstance(left, Range):
        ends = (left.start_included, left.end_included) == (
            right.start_included,
            right.end_included,
        )
        return ends and equal(left.start, right.start) is equal(left.end, right.end) is True
    if isinstance(left, datetime | time) and is_zoned(left) != is_zoned(right):
        return None
    return bool(left == right)


def is_zoned(value: datetime | time) -> bool:
    """Whether the value has an offset or a zone."""
    return value.tzinfo is not None


def _equal_lists(left: Sequence[Value], right: Sequence[Value]) -> bool:
    return len(left) == len(right) and all(
        equal(a, b) is True for a, b in zip(left, right, strict=True)
    )


def _equal_contexts(left: Mapping[str, Value], right: Mapping[str, Value]) -> bool:
    return left.keys() == right.keys() and all(equal(left[key], right[key]) is True for key in left)


def compare(left: Value, right: Value) -> int | None:
    """-1, 0 or 1 as `left` is less than, equal to or greater than `right`.

    None when the two have no order: other types, null, booleans, lists, contexts, or one of two
    times has a zone and the other has none.
    """
    kind = type(left)
    if kind is not type(right) or kind not in _ORDERED:
        left, right = as_number(left), as_number(right)
        if left is None or right is None:
            return None
    elif (kind is datetime or kind is time) and is_zoned(left) != is_zoned(right):
        return None
    return int(left > right) - int(left < right)


_ORDERED = frozenset([int, str, date, datetime, time, timedelta, YearsMonths])
