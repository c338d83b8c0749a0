from __future__ import annotations

import re

_DURATION = re.compile(
    r"(?P<sign>[-+]?)P(?:(?P<days>[-+]?\d+)D)?"
    r"(?:T(?=[-+\d])(?:(?P<hours>[-+]?\d+)H)?(?:(?P<minutes>[-+]?\d+)M)?"
    r"(?:(?P<seconds>[-+]?\d+)(?:[.,](?P<fraction>\d{0,9}))?S)?)?",
    re.ASCII | re.IGNORECASE,
)
_INT64_MAX = 2**63 - 1
_LONGEST = 200
"""More digits than any duration has, and fewer than Python refuses to read as a number."""


def duration_ms(value: object) -> int | None:
    """Milliseconds of an ISO-8601 duration, read as `java.time.Duration` does; else None.

    Days are 24 hours, each part may have a sign, and months and years have no fixed length. A
    fraction of a millisecond is dropped. Wider than int64 milliseconds is None as well.
    """
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    match = _DURATION.fullmatch(value)
    if match is None or not any(match[part] for part in ("days", "hours", "minutes", "seconds")):
        return None
    total_ms = (
        int(match["days"] or 0) * 86_400_000
        + int(match["hours"] or 0) * 3_600_000
        + int(match["minutes"] or 0) * 60_000
        + int(match["seconds"] or 0) * 1000
    )
    fraction_ms = int((match["fraction"] or "").ljust(3, "0")[:3])
    total_ms += -fraction_ms if (match["seconds"] or "").startswith("-") else fraction_ms
    total_ms = -total_ms if match["sign"] == "-" else total_ms
    return total_ms if abs(total_ms) <= _INT64_MAX else None
