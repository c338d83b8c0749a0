from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final

_WINTER = datetime(2000, 1, 1)  # noqa: DTZ001 - a local day to ask zones about

_OFFSET = re.compile(r"Z|[+-]\d\d:\d\d(?::\d\d)?", re.ASCII)
_SIXTY: Final = 60
FARTHEST_OFFSET: Final = timedelta(hours=18)
"""No zone is farther from UTC, in Java."""


@lru_cache(maxsize=1024)
def _named_zone(name: str) -> tzinfo | None:
    """The zone of the time zone database with this name; None when there is none."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - most evaluations meet no zone

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def zone_of(text: str) -> tzinfo | None:
    """The zone that `Z`, `+01:00` or `Europe/Berlin` stands for; None when it stands for none."""
    return _fixed_offset(text) if _OFFSET.fullmatch(text) else _named_zone(text)


def _fixed_offset(text: str) -> tzinfo | None:
    """The zone for `Z`, `+01:00` or `+01:00:30`; None when the offset is beyond 18 hours."""
    if text == "Z":
        return UTC
    hours, minutes, *seconds = (int(part) for part in text[1:].split(":"))
    if max(minutes, *seconds, 0) >= _SIXTY:
        return None
    offset = timedelta(hours=hours, minutes=minutes, seconds=sum(seconds))
    if offset > FARTHEST_OFFSET:
        return None
    return timezone(-offset if text[0] == "-" else offset) if offset else UTC


def zone_name(zone: tzinfo) -> str | None:
    """The name of a zone of the time zone database; None for a fixed offset."""
    key = getattr(zone, "key", None)
    return key if isinstance(key, str) else None


def zone_text(value: datetime | time) -> str:
    """What tells one zone or offset from another."""
    name = None if value.tzinfo is None else zone_name(value.tzinfo)
    return f"@{name}" if name else str(offset_of(value))


def offset_of(value: datetime | time) -> timedelta | None:
    """The offset from UTC; of a time in a named zone, the zone's without daylight saving."""
    if value.tzinfo is None:
        return None
    if isinstance(value, datetime):
        return value.utcoffset()
    own = value.utcoffset()
    return own if own is not None else standard_offset(value.tzinfo)


def on_the_clock(moment: datetime) -> datetime:
    """The moment, moved on where a change of the clocks leaves out its local time, as in Java."""
    if moment.tzinfo is None or zone_name(moment.tzinfo) is None:
        return moment
    try:
        return moment.astimezone(UTC).astimezone(moment.tzinfo)
    except OverflowError:
        return moment


def standard_offset(zone: tzinfo) -> timedelta:
    """A zone's offset without daylight saving."""
    saving = zone.dst(_WINTER) or timedelta()
    return (zone.utcoffset(_WINTER) or timedelta()) - saving
