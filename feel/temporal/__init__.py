"""Dates, times and durations: Python's own types, within what these can hold.

Years run from 1 to 9999 and seconds have six digits; a text or a result beyond that is null.
"""

from __future__ import annotations

from feel.temporal.text import (
    format_temporal,
    parse_date,
    parse_date_time,
    parse_duration,
    parse_temporal,
    parse_time,
)

__all__ = [
    "format_temporal",
    "parse_date",
    "parse_date_time",
    "parse_duration",
    "parse_temporal",
    "parse_time",
]
