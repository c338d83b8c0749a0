from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import orjson

from connector.official.inputs import GET_BY_KEY, SEARCH, OfficialInputs, SearchParts
from runtime.oauth import ClientCredentials

_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class OfficialRequest:
    """One HTTP call, complete but for its access token."""

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    credentials: ClientCredentials
    idle_s: float | None


def build(inputs: OfficialInputs) -> OfficialRequest:
    """The call that upstream would make for `inputs`."""
    path = inputs.base_url + inputs.endpoint
    if isinstance(inputs.target, SearchParts):
        return OfficialRequest(
            "POST",
            path + SEARCH,
            _with_content_type(inputs.headers),
            _body(inputs.target),
            inputs.credentials,
            inputs.idle_s,
        )
    return OfficialRequest(
        "GET",
        f"{path}{GET_BY_KEY}{inputs.target}",
        inputs.headers,
        None,
        inputs.credentials,
        inputs.idle_s,
    )


def _with_content_type(headers: Mapping[str, str]) -> Mapping[str, str]:
    named = any(name.lower() == "content-type" for name in headers)
    return headers if named else {**headers, **_JSON}


def _body(parts: SearchParts) -> bytes:
    """The template's body, in its order; parts that the task leaves out are null, not absent."""
    return orjson.dumps(
        {
            "filter": parts.filter,
            "sort": parts.sort,
            "searchAfter": parts.search_after,
            "size": parts.size,
        }
    )
