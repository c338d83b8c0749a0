"""ISO 8601 texts of temporal values, with `@Europe/Berlin` for a zone, as FEEL writes them."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from feel.numbers import Number, add
from feel.temporal.zones import offset_of, on_the_clock, zone_name, zone_of
from feel.values import Value, YearsMonths, years_months

_DATE = re.compile(r"(-?(?:\d{4}|[1-9]\d{4,8}))-(\d\d)-(\d\d)", re.ASCII)
_TIME = re.compile(
    r"T?(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?"
    r"(?:(Z|[+-]\d\d:\d\d(?::\d\d)?)(?:\[([\w/+-]+)\])?|@([\w/+:-]+))?",
    re.ASCII,
)
_DAYS_AND_TIME = re.compile(
    r"(-?)P(?=[\dT+-])(?:([+-]?\d{1,12})D)?"
    r"(?:T(?=[\d+-])(?:([+-]?\d{1,15})H)?(?:([+-]?\d{1,15})M)?"
    r"(?:([+-]?\d{1,15})(?:\.(\d{0,9}))?S)?)?",
    re.ASCII,
)
_YEARS_AND_MONTHS = re.compile(r"(-?)P(?=[\d+-])(?:([+-]?\d{1,9})Y)?(?:([+-]?\d{1,9})M)?", re.ASCII)
_LONGEST_CHARS: Final = 100
_DAY: Final = timedelta(days=1)


def parse_temporal(text: str) -> Value:
    """The date, time, date and time or duration that `text` is; None when it is none."""
    if "P" in text[:2]:
        return parse_duration(text)
    if ":" not in text:
        return parse_date(text)
    return parse_time(text) if text.find("-") in (-1, *range(5, 20)) else parse_date_time(text)


def parse_date(text: str) -> date | None:
    """`2020-01-31`; None when it is no day of the calendar, or its year is not in 1 to 9999."""
    match = _DATE.fullmatch(text) if len(text) < _LONGEST_CHARS else None
    if match is None:
        return None
    try:
        return date(*(int(part) for part in match.groups()))
    except (ValueError, OverflowError):
        return None


def parse_time(text: str) -> time | None:
    """`10:30:00`, with an offset or a zone where it has one; None when it is no time."""
    match = _TIME.fullmatch(text) if len(text) < _LONGEST_CHARS else None
    if match is None:
        return None
    hour, minute, second, fraction, offset, bracketed, zone = match.groups()
    zone = zone or bracketed or offset
    tz = zone_of(zone) if zone else None
    if tz is None and zone:
        return None
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    if (hour, minute, int(second or 0), micros) == ("24", "00", 0, 0):
        hour = "00"
    try:
        return time(int(hour), int(minute), int(second or 0), micros, tz)
    except ValueError:
        return None


def parse_date_time(text: str) -> datetime | None:
    """`2020-01-31T10:30:00`, or a date, which is its midnight; None when it is neither."""
    day_text, separator, time_text = text.partition("T")
    day = parse_date(day_text)
    if day is None:
        return None
    if not separator:
        return datetime.combine(day, time())
    at = None if time_text[:1] == "T" else parse_time(time_text)
    if at is None:
        return None
    if time_text.startswith("24"):
        return shifted(datetime.combine(day, at), _DAY)
    return on_the_clock(datetime.combine(day, at))


def shifted(value: datetime, by: timedelta) -> datetime | None:
    """`value` moved on the wall clock; None beyond the years that Python has."""
    try:
        return value + by
    except OverflowError:
        return None


def parse_duration(text: str) -> timedelta | YearsMonths | None:
    """`P1DT2H3M4S` or `P1Y2M`; None when it is neither or mixes the two."""
    if len(text) >= _LONGEST_CHARS:
        return None
    if match := _YEARS_AND_MONTHS.fullmatch(text):
        sign, years, months = match.groups()
        total = int(years or 0) * 12 + int(months or 0)
        return years_months(-total if sign == "-" else total)
    if match := _DAYS_AND_TIME.fullmatch(text):
        sign, days, hours, minutes, seconds, fraction = match.groups()
        micros = int((fraction or "0")[:6].ljust(6, "0"))
        if seconds and seconds.startswith("-"):
            micros = -micros
        return _duration(sign, [days, hours, minutes, seconds], micros)
    return None


def _duration(sign: str, parts: list[str | None], micros: int) -> timedelta | None:
    days, hours, minutes, seconds = (int(part or 0) for part in parts)
    try:
        duration = timedelta(days, seconds, micros, 0, minutes, hours)
    except OverflowError:
        return None
    return -duration if sign == "-" else duration


def format_temporal(value: date | time | timedelta | YearsMonths) -> str:
    """The text of a temporal value, which `parse_temporal` reads back."""
    if isinstance(value, timedelta):
        return _format_duration(value)
    if isinstance(value, datetime):
        return f"{value.date().isoformat()}T{_format_time(value)}"
    if isinstance(value, time):
        return _format_time(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _format_time(value: datetime | time) -> str:
    text = f"{value.hour:02}:{value.minute:02}:{value.second:02}"
    if value.microsecond:
        text += f".{value.microsecond:06}".rstrip("0")
    if value.tzinfo is None:
        return text
    name = zone_name(value.tzinfo)
    return f"{text}@{name}" if name else text + format_offset(offset_of(value))


def format_offset(offset: timedelta | None) -> str:
    """`Z`, `+01:00` or `+01:00:30`."""
    if not offset:
        return "Z"
    seconds = int(offset.total_seconds())
    hours, rest = divmod(abs(seconds), 3600)
    minutes, second = divmod(rest, 60)
    text = f"{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}"
    return f"{text}:{second:02}" if second else text


def _format_duration(value: timedelta) -> str:
    if not value:
        return "P0D"
    sign = "-" if value < timedelta() else ""
    size = abs(value)
    hours, rest = divmod(size.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{size.microseconds:06}".rstrip("0") if size.microseconds else ""
    at = f"{hours}H" if hours else ""
    at += f"{minutes}M" if minutes else ""
    at += f"{seconds}{fraction}S" if seconds or fraction else ""
    return f"{sign}P" + (f"{size.days}D" if size.days else "") + (f"T{at}" if at else "")


def seconds_of(value: timedelta) -> Number:
    """A duration in seconds, exactly."""
    whole = value.days * 86_400 + value.seconds
    return whole if not value.microseconds else add(whole, Decimal(value.microseconds) / 1_000_000)
