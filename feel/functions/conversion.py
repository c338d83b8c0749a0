from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone

from feel import numbers
from feel.functions.json_text import from_json_text, to_json_text
from feel.functions.registry import Category
from feel.numbers import Number, parse_literal
from feel.run import Run
from feel.temporal import (
    parse_date,
    parse_date_time,
    parse_duration,
    parse_time,
)
from feel.temporal.zones import FARTHEST_OFFSET, on_the_clock, zone_of
from feel.text import text_of
from feel.values import Value, YearsMonths, is_context

CONVERSION = Category("Conversion functions")
_GROUPING = (" ", ",", ".")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)


@CONVERSION.function(
    "string",
    "from: any",
    ("string(1.1)", '"1.1"'),
    ('string(date("2012-12-25"))', '"2012-12-25"'),
)
def string(run: Run, value: Value) -> str | None:
    """The value as text; null of null."""
    if value is None:
        return None
    return text_of(value, run.charge_text)


@CONVERSION.function(
    "number",
    "from: string",
    ('number("1500.5")', "1500.5"),
)
def number(_run: Run, value: str) -> Number | None:
    """The number that a text stands for; null when it stands for none."""
    return parse_literal(value) if _NUMBER.fullmatch(value) else None


@CONVERSION.function(
    "number", "from: string, grouping separator: string", ('number("1,500", ",")', "1500")
)
def number_of_groups(run: Run, value: str, grouping: str) -> Number | None:
    """The same with a blank, `,` or `.` between groups of digits."""
    return number(run, value.replace(grouping, "")) if grouping in _GROUPING else None


@CONVERSION.function(
    "number",
    "from: string, grouping separator: any, decimal separator: any",
    ('number("1 500,5", " ", ",")', "1500.5"),
)
def number_of_separators(run: Run, value: str, grouping: Value, point: Value) -> Number | None:
    """The same with `,` or `.` before the fraction; null stands for no groups, or for `.`."""
    if grouping not in (None, *_GROUPING) or point not in (None, ",", ".") or grouping == point:
        return None
    if grouping is not None:
        value = value.replace(grouping, "")
    return number(run, value.replace(point or ".", "."))


@CONVERSION.function(
    "context",
    "entries: list",
    ('context([{"key": "a", "value": 1}, {"key": "b", "value": 2}])', "{a: 1, b: 2}"),
)
def context(run: Run, entries: Sequence[Value]) -> dict[str, Value] | None:
    """The context of a list of contexts with `key` and `value`; the reverse of `get entries`."""
    run.charge_items(2 * len(entries))
    made: dict[str, Value] = {}
    for entry in entries:
        if not is_context(entry) or "value" not in entry or not isinstance(entry.get("key"), str):
            return None
        made[entry["key"]] = entry["value"]
    return made


@CONVERSION.function(
    "date",
    "from: any",
    ('date("2018-04-29")', '@"2018-04-29"'),
    ('date(date and time("2012-12-25T11:00:00"))', '@"2012-12-25"'),
    weight=5,
)
def date_from(_run: Run, value: Value) -> date | None:
    """The date of a text, or of a date and time; null when it is no day of the calendar."""
    if isinstance(value, str):
        return parse_date(value)
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


@CONVERSION.function(
    "date", "year: number, month: number, day: number", ("date(2012, 12, 25)", '@"2012-12-25"')
)
def date_of(_run: Run, year: Number, month: Number, day: Number) -> date | None:
    """The date of its parts; null when there is no such day."""
    try:
        return date(int(year), int(month), int(day))
    except (ValueError, OverflowError):
        return None


@CONVERSION.function(
    "time",
    "from: any",
    ('time("12:00:00")', '@"12:00:00"'),
    ('time(date and time("2012-12-25T11:00:00"))', '@"11:00:00"'),
    weight=5,
)
def time_from(_run: Run, value: Value) -> time | None:
    """The time of a text, or of a date and time; null when it is none."""
    if isinstance(value, str):
        return parse_time(value)
    if isinstance(value, datetime):
        return value.timetz()
    if isinstance(value, date):
        return time(tzinfo=UTC)
    return value if isinstance(value, time) else None


@CONVERSION.function(
    "time",
    "hour: number, minute: number, second: number, offset?: any",
    ("time(23, 59, 0)", '@"23:59:00"'),
    ('time(14, 30, 0, duration("PT1H"))', '@"14:30:00+01:00"'),
)
def time_of(
    _run: Run, hour: Number, minute: Number, second: Number, offset: Value = None
) -> time | None:
    """The time of its parts; null when there is no such time."""
    if not isinstance(offset, timedelta | None) or abs(offset or timedelta()) > FARTHEST_OFFSET:
        return None
    whole = int(second)
    micros = int(numbers.multiply(numbers.subtract(second, whole), 1_000_000))
    try:
        zone = None if offset is None else (timezone(offset) if offset else UTC)
        return time(int(hour), int(minute), whole, micros, zone)
    except (ValueError, OverflowError):
        return None


@CONVERSION.function(
    "date and time",
    "from: any",
    ('date and time("2018-04-29T09:30:00")', '@"2018-04-29T09:30:00"'),
    (
        'date and time("2018-04-29T09:30:00+02:00[Europe/Berlin]")',
        '@"2018-04-29T09:30:00@Europe/Berlin"',
    ),
    weight=5,
)
def date_time_from(_run: Run, value: Value) -> datetime | None:
    """The date and time of a text; a date alone is its midnight; null when it is neither."""
    if isinstance(value, str):
        return parse_date_time(value)
    if isinstance(value, datetime):
        return value
    return datetime.combine(value, time()) if isinstance(value, date) else None


@CONVERSION.function(
    "date and time",
    "date: date or date and time, time: any",
    (
        'date and time(date("2012-12-24"), time("T23:59:00"))',
        '@"2012-12-24T23:59:00"',
    ),
)
def date_time_of(_run: Run, day: date, at: Value) -> datetime | None:
    """The date of the one with the time of the other, or a moment as it is in a time zone."""
    if isinstance(at, str):
        return _in_zone(day, at)
    if not isinstance(at, time):
        return None
    return on_the_clock(datetime.combine(day.date() if isinstance(day, datetime) else day, at))


@CONVERSION.function(
    "date and time",
    "date: date and time, timezone: string",
    (
        'date and time(date: @"2020-07-31T14:27:30@Europe/Berlin", timezone: "Z")',
        '@"2020-07-31T12:27:30Z"',
    ),
)
def date_time_in(_run: Run, moment: datetime, zone: str) -> datetime | None:
    """The same moment in a time zone; one without a zone is taken to be in it."""
    return _in_zone(moment, zone)


def _in_zone(moment: date, name: str) -> datetime | None:
    if not isinstance(moment, datetime):
        return None
    zone = zone_of(name)
    if zone is None:
        return None
    if moment.tzinfo is None:
        return on_the_clock(moment.replace(tzinfo=zone))
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return None


@CONVERSION.function(
    "duration",
    "from: string",
    ('duration("P5D")', '@"P5D"'),
    ('duration("P32Y")', '@"P32Y"'),
    weight=5,
)
def duration(_run: Run, text: str) -> timedelta | YearsMonths | None:
    """The duration of a text: of days and time, or of years and months."""
    return parse_duration(text)


@CONVERSION.function(
    "years and months duration",
    "from: date or date and time, to: date or date and time",
    ('years and months duration(date("2011-12-22"), date("2013-08-24"))', '@"P1Y8M"'),
)
def years_and_months_duration(_run: Run, start: date, end: date) -> YearsMonths:
    """The whole months from one date to another."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        months -= 1
    elif months < 0 and end.day > start.day:
        months += 1
    return YearsMonths(months)


@CONVERSION.function(
    "from json", "value: string", ('from json("{\\"a\\": 1, \\"b\\": 2}")', "{a: 1, b: 2}")
)
def from_json(run: Run, text: str) -> Value:
    """The value of a JSON text; null when the text is not JSON."""
    run.charge(len(text) // 4)
    return from_json_text(text)


@CONVERSION.function(
    "to json",
    "value: any",
    ("to json({a: 1, b: 2})", '"{\\"a\\":1,\\"b\\":2}"'),
    ('to json(@"P3Y")', '"\\"P3Y\\""'),
)
def to_json_function(run: Run, value: Value) -> str | None:
    """The JSON text of a value; temporal values become text."""
    return to_json_text(value, run.charge_text)
