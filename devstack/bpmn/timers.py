"""Timer definitions and the ISO 8601 texts that they hold."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from devstack.bpmn.expression import Expression

_WHOLE = r"\d{1,9}"
_NUMBER = r"(\d{1,9}(?:[.,]\d{1,9})?)"
_INTERVAL = re.compile(
    rf"(?P<sign>-)?P(?:(?P<years>{_WHOLE})Y)?(?:(?P<months>{_WHOLE})M)?"
    rf"(?:(?P<weeks>{_WHOLE})W)?(?:(?P<days>{_WHOLE})D)?"
    rf"(?P<time>T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?",
)
_CYCLE = re.compile(r"R(?P<repetitions>-1|\d{0,9})/(?:(?P<start>\d[^/]*)/)?(?P<interval>-?P[^/]*)")
_DATE_TIME = re.compile(
    r"(?P<text>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)"
    r"(?P<offset>Z|[+-]\d\d(?::?\d\d)?)?(?:\[(?P<zone>[\w/+-]+)])?",
)

_DAY_MS = 24 * 60 * 60 * 1000
_LATEST_MS = 253_402_300_799_000
"""The last second of the year 9999."""

ENDLESS = -1
"""Repetitions of a cycle that never ends, as Zeebe counts them."""


class TimerKind(Enum):
    """Which of the three timer texts a definition holds."""

    DURATION = "timeDuration"
    DATE = "timeDate"
    CYCLE = "timeCycle"


@dataclass(frozen=True, slots=True)
class TimerDefinition:
    """When a timer event fires; the expression gives ISO 8601 text."""

    kind: TimerKind
    expression: Expression


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of calendar months and milliseconds, such as `P1M` or `PT10S`."""

    months: int
    milliseconds: int

    def after_ms(self, start_ms: int) -> int:
        """The moment this span after `start_ms`, both in milliseconds since 1970 UTC.

        A span that leads out of the calendar leads to its end.
        """
        if self.months:
            start_ms = _add_months_ms(start_ms, self.months)
        return max(0, min(start_ms + self.milliseconds, _LATEST_MS))


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repeated span; `repetitions` is ENDLESS or how often it fires."""

    repetitions: int
    interval: Interval
    start_ms: int | None


def parse_interval(text: str) -> Interval:
    """Read an ISO 8601 duration or period.

    Raises:
        ValueError: `text` is neither.
    """
    match = _INTERVAL.fullmatch(text.strip())
    if match is None or not any(match.groups()[1:]) or match["time"] == "T":
        raise ValueError(f"'{text}' is no ISO 8601 duration such as PT30S or P1DT12H")
    whole = {name: int(match[name] or 0) for name in ("years", "months", "weeks", "days")}
    hours, minutes, seconds = (
        float((part or "0").replace(",", ".")) for part in match.groups()[6:]
    )
    sign = -1 if match["sign"] else 1
    days = whole["weeks"] * 7 + whole["days"]
    milliseconds = days * _DAY_MS + round(((hours * 60 + minutes) * 60 + seconds) * 1000)
    return Interval(sign * (whole["years"] * 12 + whole["months"]), sign * milliseconds)


def parse_cycle(text: str) -> Cycle:
    """Read an ISO 8601 repetition such as `R3/PT10S` or `R/2026-01-01T00:00:00Z/P1D`.

    Raises:
        ValueError: `text` is none. Cron expressions are not supported.
    """
    match = _CYCLE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is no ISO 8601 repetition such as R3/PT10S")
    repetitions = int(match["repetitions"]) if match["repetitions"] else ENDLESS
    start_ms = parse_date_time_ms(match["start"]) if match["start"] else None
    return Cycle(repetitions, parse_interval(match["interval"]), start_ms)


def parse_date_time_ms(text: str) -> int:
    """Read an ISO 8601 date and time with an offset as milliseconds since 1970 UTC.

    Raises:
        ValueError: `text` is none; without an offset it is taken as UTC.
    """
    match = _DATE_TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is no ISO 8601 date and time such as 2026-01-31T12:00:00Z")
    moment = datetime.fromisoformat(match["text"] + (match["offset"] or "Z"))
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _add_months_ms(start_ms: int, months: int) -> int:
    moment = datetime.fromtimestamp(start_ms / 1000, tz=UTC)
    count = moment.year * 12 + moment.month - 1 + months
    year, month = max(1970, min(count // 12, 9999)), count % 12 + 1
    day = min(moment.day, calendar.monthrange(year, month)[1])
    moved = moment.replace(year=year, month=month, day=day)
    return start_ms + (moved - moment) // timedelta(milliseconds=1)
