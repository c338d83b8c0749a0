from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from yarl import URL

from exporter.errors import SourceRefused
from exporter.sources import Credentials
from exporter.sources.parameters import (
    Parameters,
    read_parameters,
    seconds,
    some_seconds,
    web_base,
)

_MAX_PAGE = 10_000
"""Elasticsearch's `index.max_result_window`."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the indices are and how they are read.

    Attributes:
        base: http(s) URL without credentials, query and final slash.
        prefix: Of the indices, `zeebe.name` of Optimize.
        page: Most hits of a search.
        poll_s: Seconds between two looks while records come; up to five times that while none do.
        lag_s: Seconds that a position must have been visible.
        gap_s: Most seconds that a missing number of `sequence` is waited for.
        overlap_s: Seconds for which what was read is looked at again.
    """

    base: URL
    prefix: str = "zeebe-record"
    page: int = 500
    poll_s: float = 1.0
    lag_s: float = 2.0
    gap_s: float = 60.0
    overlap_s: float = 60.0


def read_address(url: URL) -> Address:
    """What a source URL says.

    Raises:
        SourceRefused: Something in it cannot be used; all of it is told at once.
    """
    fields = read_parameters(url, _PARAMETERS)
    return Address(web_base(url), **fields)  # type: ignore[arg-type] # by name


def authorization(credentials: Credentials, url: URL) -> Mapping[str, str]:
    """The header that lets us in; none without credentials. Those given win over the URL's.

    Raises:
        SourceRefused: The credentials are of another kind.
    """
    if credentials.oauth is not None:
        raise SourceRefused(
            "Elasticsearch and OpenSearch are not asked with OAuth here; "
            "set a user name and password, or an API key"
        )
    if credentials.api_key is not None:
        key = credentials.api_key.get_secret_value()
        # Elasticsearch shows a key as `id` and `api_key`, and also in the form that it wants.
        encoded = base64.b64encode(key.encode()).decode() if ":" in key else key
        return {"Authorization": f"ApiKey {encoded}"}
    username = credentials.username or url.user
    password = credentials.password.get_secret_value() if credentials.password else url.password
    if username is None:
        return {}
    pair = f"{username}:{password or ''}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _page(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MAX_PAGE:
        raise ValueError(f"a whole number from 1 to {_MAX_PAGE}")
    return int(text)


def _prefix(text: str) -> str:
    if not text or text != text.lower() or any(sign in text for sign in '*,?/\\"<>| #:'):
        raise ValueError("the prefix of index names, in lower case and without wildcards")
    return text


_PARAMETERS: Parameters = MappingProxyType(
    {
        "prefix": ("prefix", _prefix),
        "page": ("page", _page),
        "poll-ms": ("poll_s", some_seconds),
        "lag-ms": ("lag_s", seconds),
        "gap-ms": ("gap_s", seconds),
        "overlap-ms": ("overlap_s", seconds),
    }
)
