from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final

from feel.numbers import size
from feel.temporal.text import seconds_of
from feel.temporal.zones import offset_of, zone_name
from feel.values import Range, Value, YearsMonths

NO_PROPERTY: Final = object()
"""What `property_of` gives when a value has no property of that name."""


def property_of(value: Value, name: str) -> Value:
    """The property `name` of a temporal value or a range, or `NO_PROPERTY`."""
    for python_type, properties in _PROPERTIES:
        if isinstance(value, python_type) and name in properties:
            return properties[name](value)
    return NO_PROPERTY


def _zone_of(value: datetime | time) -> str | None:
    return None if value.tzinfo is None else zone_name(value.tzinfo)


def _second(value: datetime | time) -> Value:
    return value.second


def _months(value: YearsMonths) -> tuple[int, int]:
    """Years and months of a duration, both with its sign."""
    years, months = divmod(abs(value.months), 12)
    sign = -1 if value.months < 0 else 1
    return sign * years, sign * months


def _part(unit_s: int, modulus: int | None) -> Callable[[timedelta], Value]:
    """Reads the part of a duration that is counted in units of `unit_s` seconds, with its sign."""

    def read(value: timedelta) -> Value:
        whole = int(size(seconds_of(value))) // unit_s
        part = whole if modulus is None else whole % modulus
        return -part if value < timedelta() else part

    return read


_TIME_PROPERTIES: dict[str, Callable[[Value], Value]] = {
    "hour": lambda value: value.hour,
    "minute": lambda value: value.minute,
    "second": _second,
    "time offset": offset_of,
    "timezone": _zone_of,
}
_PROPERTIES: list[tuple[type, dict[str, Callable[[Value], Value]]]] = [
    (datetime, _TIME_PROPERTIES),
    (time, _TIME_PROPERTIES),
    (
        date,
        {
            "year": lambda value: value.year,
            "month": lambda value: value.month,
            "day": lambda value: value.day,
            "weekday": lambda value: value.isoweekday(),
        },
    ),
    (
        timedelta,
        {
            "days": _part(86_400, None),
            "hours": _part(3_600, 24),
            "minutes": _part(60, 60),
            "seconds": _part(1, 60),
        },
    ),
    (
        YearsMonths,
        {"years": lambda value: _months(value)[0], "months": lambda value: _months(value)[1]},
    ),
    (
        Range,
        {
            "start": lambda value: value.start,
            "end": lambda value: value.end,
            "start included": lambda value: value.start_included,
            "end included": lambda value: value.end_included,
        },
    ),
]
