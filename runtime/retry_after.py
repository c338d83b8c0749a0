from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


def retry_after_s(headers: Mapping[str, str], now_ms: int) -> float | None:
    """Seconds from now that a `Retry-After` header asks to wait; None without a usable one.

    Both forms of RFC 9110 §10.2.3 are read, seconds and an HTTP date; a date gone by gives 0.

    Args:
        headers: Of the answer; look-ups are to ignore case, as aiohttp's do.
        now_ms: Wall-clock time, for a date.
    """
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        # A date without an offset means UTC, as every HTTP date does.
        at_s = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):  # the latter for an offset of too many digits
        return None
    return max(0.0, at_s - now_ms / 1000)
