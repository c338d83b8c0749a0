from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from yarl import URL

from exporter.errors import SourceRefused

_MAX_MS = 86_400_000

Parameters = Mapping[str, tuple[str, Callable[[str], object]]]
"""What may stand in a source URL's query: the field that it sets and how it is read.

A reader raises ValueError with what the value must be.
"""


def read_parameters(url: URL, known: Parameters) -> dict[str, object]:
    """The fields that a source URL's query sets.

    Raises:
        SourceRefused: The URL names no host, or a parameter is unknown or cannot be read; all of it
            is told at once, without values.
    """
    faults = [] if url.host else ["there is no host in it"]
    fields: dict[str, object] = {}
    for name, text in url.query.items():
        if name not in known:
            faults.append(_unknown(name, known))
            continue
        field, read = known[name]
        try:
            fields[field] = read(text)
        except ValueError as error:
            faults.append(f"{name} must be {error}")
    if faults:
        raise SourceRefused(f"the URL of the source cannot be used: {'; '.join(faults)}")
    return fields


def web_base(url: URL) -> URL:
    """The http(s) URL in a source URL, such as `elasticsearch+https://…`, without the rest."""
    bare = url.with_scheme(url.scheme.partition("+")[2]).with_user(None)
    return bare.with_path(bare.path.rstrip("/"))


def seconds(text: str) -> float:
    """Milliseconds, from 0 to a day, in seconds."""
    if not text.isdecimal() or int(text) > _MAX_MS:
        raise ValueError("a whole number of milliseconds, a day at most")
    return int(text) / 1000


def some_seconds(text: str) -> float:
    """The same, but not 0."""
    if not (given := seconds(text)):
        raise ValueError("at least 1 millisecond")
    return given


def _unknown(name: str, known: Parameters) -> str:
    nearest = next(iter(get_close_matches(name, known, n=1)), None)
    remedy = f"did you mean {nearest}?" if nearest else f"there are {', '.join(known)}"
    return f"the parameter {name} is not known; {remedy}"
