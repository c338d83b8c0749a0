from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from runtime.settings.variable import Kind

_ISO = re.compile(
    r"P(?!$)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:[.,]\d+)?)S)?)?",
    re.IGNORECASE | re.ASCII,
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[KMG]i?B?|B)?", re.IGNORECASE | re.ASCII)
_BYTES = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


def _iso_seconds(text: str) -> Decimal:
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError("is no ISO-8601 duration of weeks, days, hours, minutes and seconds")
    parts = {unit: part.replace(",", ".") for unit, part in match.groupdict().items() if part}
    return sum((Decimal(part) * _SECONDS[unit] for unit, part in parts.items()), Decimal(0))


def parse_duration_s(value: object) -> object:
    """Seconds (float) of an ISO-8601 duration or of a plain number of seconds.

    Years and months are refused: how long they are depends on the calendar.
    """
    if not isinstance(value, str):
        return value
    return float(Decimal(value) if _NUMBER.fullmatch(value) else _iso_seconds(value))


def parse_duration_ms(value: object) -> object:
    """Whole milliseconds (int) of a plain number of milliseconds or of an ISO-8601 duration."""
    if not isinstance(value, str):
        return value
    return round(Decimal(value) if _NUMBER.fullmatch(value) else _iso_seconds(value) * 1000)


def parse_bytes(value: object) -> object:
    """Bytes (int) of `1048576`, `512 KiB`, `50 MiB`, `1GiB`, `5MB`; a bare unit is decimal."""
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value)
    if match is None:
        raise ValueError("is no size in bytes")
    unit = (match["unit"] or "").lower()
    factor = _BYTES[unit.removesuffix("b") if len(unit) > 1 else unit]
    return int(Decimal(match["number"]) * factor)


def parse_list(value: object) -> object:
    """Items of a comma-separated list, trimmed, empty ones left out."""
    if not isinstance(value, str):
        return value
    return tuple(item.strip() for item in value.split(",") if item.strip())


def show_duration(seconds: float) -> str:
    """ISO-8601 notation of a number of seconds, such as `PT1M30S`."""
    left = Decimal(str(seconds))
    parts = ""
    for size, letter in ((86_400, "D"), (3_600, "H"), (60, "M")):
        whole, left = divmod(left, size)
        parts += f"{whole:f}{letter}" if whole else ""
        parts += "T" if letter == "D" else ""
    rest = f"{left.normalize():f}S" if left or parts == "T" else ""
    return f"P{parts}{rest}".removesuffix("T")


def show_bytes(size_bytes: int) -> str:
    """A size in the largest binary unit that keeps it whole, such as `50 MiB`."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size_bytes and size_bytes % factor == 0:
            return f"{size_bytes // factor} {unit}"
    return str(size_bytes)


DurationS = Annotated[
    float,
    BeforeValidator(parse_duration_s),
    Kind(
        "duration",
        "ISO-8601, or a number of seconds",
        "an ISO-8601 duration such as PT25S, or seconds",
        show_duration,
    ),
]
"""A float of seconds, written `PT25S`, `P1D` or `25`."""

DurationMs = Annotated[
    int,
    BeforeValidator(parse_duration_ms),
    Kind(
        "milliseconds",
        "milliseconds, or an ISO-8601 duration",
        "a whole number of milliseconds such as 1500",
    ),
]
"""An int of milliseconds, written `1500` or `PT1.5S`."""

ByteSize = Annotated[
    int,
    BeforeValidator(parse_bytes),
    Kind("size", "bytes, or with KiB, MiB, GiB", "a size such as 50 MiB or 1048576", show_bytes),
]
"""An int of bytes, written `1048576` or `50 MiB`."""

CommaList = Annotated[
    tuple[str, ...],
    BeforeValidator(parse_list),
    Kind("list", "comma-separated", "names separated by commas", ",".join),
]
"""A tuple of texts, written `a,b,c`."""

Port = Annotated[
    int, Field(ge=0, le=65_535), Kind("port", "", "a port from 1 to 65535 (0 takes any free one)")
]
"""A TCP port; 0 asks the system for a free one."""
