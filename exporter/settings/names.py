from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, SecretStr
from yarl import URL

from runtime.settings import Fault, Kind, Variable

PREFIX = "APP_INTEGRATIONS_"
DEFAULT_UPSTREAM_ID = "APPINTEXPORTER"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
UPSTREAM = f"ZEEBE_BROKER_EXPORTERS_{DEFAULT_UPSTREAM_ID}_ARGS_"


def ours(name: str, *others: str, upstream: str | None = None, meaning: str) -> Variable:
    """A variable under our prefix, also taken under the name that upstream's exporter has."""
    args = name.replace("_", "") if upstream is None else upstream
    return Variable(f"{PREFIX}{name}", f"{UPSTREAM}{args}", *others, meaning=meaning)


def only_ours(name: str, meaning: str) -> Variable:
    """A variable under our prefix alone."""
    return Variable(f"{PREFIX}{name}", meaning=meaning)


def _http_url(text: str) -> str:
    try:
        url = URL(text)
    except ValueError:
        raise ValueError("is no URL") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("is no http(s) URL")
    return text


HttpUrl = Annotated[
    str,
    AfterValidator(_http_url),
    Kind("URL", "", "a URL such as https://backend.example/events"),
]


def _url(text: str) -> str:
    try:
        URL(text)
    except ValueError:
        raise ValueError("is no URL") from None
    return text


SourceUrl = Annotated[
    str,
    AfterValidator(_url),
    Kind("URL", "", "a URL such as file:///path/records.jsonl or redis://localhost:6379"),
]


def no_header(variable: str, value: str | SecretStr | None) -> Iterator[Fault]:
    """The fault of a value that cannot stand in an HTTP header; none when it can."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value or ""
    if _CONTROL.search(text):
        yield Fault(variable, "holds a line break or another control character", "remove it")
