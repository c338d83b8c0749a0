from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[object]) -> str:
    """`; did you mean …?` with the known name that is most like `name`, or no text at all."""
    from difflib import get_close_matches  # noqa: PLC0415 - slow, and needed only to explain

    close = get_close_matches(name, [each for each in known if isinstance(each, str)], 1)
    return f"; did you mean `{close[0]}`?" if close else ""
