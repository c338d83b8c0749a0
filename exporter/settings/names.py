from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from yarl import URL

from runtime.settings import Kind, Variable

PREFIX = "APP_INTEGRATIONS_"
DEFAULT_UPSTREAM_ID = "APPINTEXPORTER"
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
