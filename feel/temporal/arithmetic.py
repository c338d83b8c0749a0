"""`+ - * /` where temporal values are concerned; None where the types do not go together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from typing import TypeVar

from feel import numbers
from feel.numbers import Number
from feel.temporal.text import seconds_of
from feel.temporal.zones import offset_of, on_the_clock
from feel.values import Value, YearsMonths, years_months

_Result = TypeVar("_Result")
_DECEMBER = 12
_ANY_DAY = date(2000, 1, 3)
_FIRST_MIDNIGHT = datetime(1, 1, 1)  # noqa: DTZ001 - a day to measure from


def add(left: Value, right: Value) -> Value:
    """A moment and a duration, in either order, or two durations of one kind."""
    if isinstance(left, YearsMonths) and isinstance(right, YearsMonths):
        return years_months(left.months + right.months)
    if isinstance(left, timedelta) and isinstance(right, timedelta):
        return _within_range(lambda: left + right)
    if isinstance(left, timedelta | YearsMonths):
        left, right = right, left
    return moved(left, right)


def subtract(left: Value, right: Value) -> Value:
    """A moment less a duration, two durations or two moments of one kind."""
    if isinstance(right, YearsMonths):
        return add(left, YearsMonths(-right.months))
    if isinstance(right, timedelta):
        return _within_range(lambda: add(left, -right))
    return between(right, left)


def moved(moment: Value, by: Value) -> Value:
    """`moment` moved by a duration; a time goes round midnight."""
    if isinstance(by, YearsMonths):
        return add_months(moment, by.months) if isinstance(moment, date) else None
    if not isinstance(by, timedelta):
        return None
    if isinstance(moment, datetime):
        return _within_range(lambda: _moved_in_zone(moment, by))
    if isinstance(moment, date):
        return _within_range(lambda: moment + by)
    if isinstance(moment, time):
        start = datetime.combine(_ANY_DAY, moment.replace(tzinfo=None))
        return (start + by % timedelta(days=1)).time().replace(tzinfo=moment.tzinfo)
    return None


def _moved_in_zone(moment: datetime, by: timedelta) -> datetime:
    """Across a change of the clocks, time goes on as it does in UTC."""
    if moment.tzinfo is None:
        return moment + by
    return (moment.astimezone(UTC) + by).astimezone(moment.tzinfo)


def add_months(moment: date, months: int) -> date | None:
    """The same day `months` later, or the last day of that month if it is shorter."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        return None
    later = moment.replace(
        year=year, month=month + 1, day=min(moment.day, days_in_month(year, month + 1))
    )
    return on_the_clock(later) if isinstance(later, datetime) else later


def days_in_month(year: int, month: int) -> int:
    """How many days a month (1 to 12) has."""
    if month == _DECEMBER:
        return 31
    return (date(year, month + 1, 1) - date(year, month, 1)).days


def between(start: Value, end: Value) -> timedelta | None:
    """The duration from one moment to another of the same kind."""
    if isinstance(start, datetime) and isinstance(end, datetime):
        if (start.tzinfo is None) != (end.tzinfo is None):
            return None
        return since_first_midnight(end) - since_first_midnight(start)
    if isinstance(start, time) and isinstance(end, time):
        if (start.tzinfo is None) != (end.tzinfo is None):
            return None
        return since_midnight(end) - since_midnight(start)
    if type(start) is date and type(end) is date:
        return end - start
    return None


def since_first_midnight(moment: datetime) -> timedelta:
    """Time since the first midnight there is, in UTC where the moment has a zone.

    Python's own difference of two moments in one zone leaves out a change of the clocks.
    """
    return moment.replace(tzinfo=None) - _FIRST_MIDNIGHT - (offset_of(moment) or timedelta())


def since_midnight(value: time) -> timedelta:
    """Time since midnight, UTC for a time with an offset."""
    since = timedelta(
        hours=value.hour,
        minutes=value.minute,
        seconds=value.second,
        microseconds=value.microsecond,
    )
    offset = offset_of(value)
    return since if offset is None else since - offset


def scale(duration: Value, factor: Number) -> timedelta | YearsMonths | None:
    """A duration times a number; parts of a month and of a microsecond are dropped."""
    if isinstance(duration, YearsMonths):
        return years_months(int(numbers.multiply(duration.months, factor)))
    if isinstance(duration, timedelta):
        return from_seconds(numbers.multiply(seconds_of(duration), factor))
    return None


def shrink(duration: Value, divisor: Number) -> timedelta | YearsMonths | None:
    """A duration divided by a number; None when that is 0."""
    if isinstance(duration, YearsMonths):
        months = numbers.divide(duration.months, divisor)
        return None if months is None else years_months(int(months))
    if isinstance(duration, timedelta):
        seconds = numbers.divide(seconds_of(duration), divisor)
        return None if seconds is None else from_seconds(seconds)
    return None


def ratio(left: Value, right: Value) -> Number | None:
    """How often one duration goes into another of the same kind; None when that is zero."""
    if isinstance(left, YearsMonths) and isinstance(right, YearsMonths):
        return numbers.divide(left.months, right.months)
    if isinstance(left, timedelta) and isinstance(right, timedelta):
        return numbers.divide(seconds_of(left), seconds_of(right))
    return None


def from_seconds(seconds: Number) -> timedelta | None:
    """The duration of so many seconds; None beyond what Python can hold."""
    micros = int(numbers.multiply(seconds, 1_000_000))
    return _within_range(lambda: timedelta(microseconds=micros))


def _within_range(calculate: Callable[[], _Result]) -> _Result | None:
    try:
        return calculate()
    except (OverflowError, ValueError):
        return None
