"""Dates as the API v1 writes and filters them: `2024-02-15T22:40:10.834+0000`, always UTC."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_COMPACT_OFFSET = re.compile(r"[+-]\d{4}")
_COLON_OFFSET = re.compile(r"[+-]\d{2}:\d{2}|Z")
_LOCAL = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}")
_LOCAL_LENGTH = len("2024-02-15T22:40:10.834")
_STEP = re.compile(r"([+-])(\d*)([yMwdhHms])|/([yMwdhHms])")


def to_text(epoch_ms: int, *, rfc3339: bool = False) -> str:
    """The date as the API writes it; `rfc3339` puts a colon into the offset."""
    text = (_EPOCH + epoch_ms * _MS).isoformat(timespec="milliseconds")
    return text if rfc3339 else f"{text[:-3]}{text[-2:]}"


def to_ms(text: str, *, rfc3339: bool = False) -> int:
    """Milliseconds since 1970 of a date in the API's own format.

    Raises:
        ValueError: when the text is a date in another format, or none.
    """
    offset = _COLON_OFFSET if rfc3339 else _COMPACT_OFFSET
    local, zone = text[:_LOCAL_LENGTH], text[_LOCAL_LENGTH:]
    if not _LOCAL.fullmatch(local) or not offset.fullmatch(zone):
        raise ValueError("a date must look like 2024-02-15T22:40:10.834+0000")
    return _ms(datetime.fromisoformat(text))


def any_to_ms(text: str) -> int:
    """Milliseconds since 1970 of any ISO 8601 date with an offset, for seed files.

    Raises:
        ValueError: when the text is no such date.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a date needs an offset, as in 2024-02-15T22:40:10.834+0000")
    return _ms(moment)


def to_range_ms(text: str, *, rfc3339: bool = False) -> tuple[int, int]:
    """First and last millisecond that a filter on a date means, both included.

    A date alone is that millisecond; `||/d` after it is the day around it in UTC, and so for the
    units y, M, w (from Monday), d, h, m and s; `||+1d` moves it. This is Elasticsearch's date
    math, where the lower end rounds down and the upper end rounds up.

    Raises:
        ValueError: when the date or the math cannot be read.
    """
    date, _, steps = text.partition("||")
    first = last = _EPOCH + to_ms(date, rfc3339=rfc3339) * _MS
    position = 0
    while position < len(steps):
        step = _STEP.match(steps, position)
        if step is None:
            raise ValueError("date math is +1d, -1d or /d with a unit of y, M, w, d, h, m or s")
        first, last = _stepped(step, first, last)
        position = step.end()
    return _ms(first), _ms(last)


def _stepped(
    step: re.Match[str],
    first: datetime,
    last: datetime,
) -> tuple[datetime, datetime]:
    sign, count, unit, rounding = step.groups()
    if rounding:
        return _FLOORS[rounding](first), _moved(_FLOORS[rounding](last), rounding, 1) - _MS
    steps = int(f"{sign}{count or 1}")
    return _moved(first, unit, steps), _moved(last, unit, steps)


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MS


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


_FLOORS: dict[str, Callable[[datetime], datetime]] = {
    "y": lambda moment: _midnight(moment).replace(month=1, day=1),
    "M": lambda moment: _midnight(moment).replace(day=1),
    "w": lambda moment: _midnight(moment) - timedelta(days=moment.weekday()),
    "d": _midnight,
    "h": _hour,
    "H": _hour,
    "m": lambda moment: moment.replace(second=0, microsecond=0),
    "s": lambda moment: moment.replace(microsecond=0),
}
_LENGTHS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "H": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_MONTHS = {"y": 12, "M": 1}


def _moved(moment: datetime, unit: str, steps: int) -> datetime:
    try:
        if unit in _LENGTHS:
            return moment + steps * _LENGTHS[unit]
        months = moment.year * 12 + moment.month - 1 + steps * _MONTHS[unit]
        year, month = divmod(months, 12)
        day = min(moment.day, monthrange(year, month + 1)[1])
        return moment.replace(year=year, month=month + 1, day=day)
    except OverflowError as error:
        raise ValueError("date math leads out of the years 1 to 9999") from error
