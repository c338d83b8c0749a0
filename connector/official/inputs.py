from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from connector.cluster import Label, Url, strip_version
from connector.errors import Faults, InputError
from connector.inputs import Policy, check_hosts
from connector.numbers import INT64_MAX, whole_number
from connector.official.template import ENDPOINTS
from connector.section import Section, given, is_blank, nearest, read_section
from runtime.oauth import ClientCredentials

DEFAULT_IDLE_S = 20.0
_NUMBER = re.compile(r"-?\d{1,300}(\.\d{1,300})?", re.ASCII)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FRAMING = {"content-length", "transfer-encoding"}
"""Headers that say where a request ends: a wrong one would reach into the next job's request."""
SEARCH = "/search"
GET_BY_KEY = "/"


class _Credentials(Section, extra="ignore"):
    """What both forms of the template ask for; names are the template's own."""

    type: Literal["oauth-client-credentials-flow"]
    client_authentication: Literal["credentialsBody", "basicAuthHeader"] = "credentialsBody"
    oauth_token_endpoint: Url
    client_id: str
    client_secret: SecretStr
    audience: str | None = None
    scopes: str | None = None

    def credentials(self) -> ClientCredentials:
        """What the token is asked for with."""
        in_body = self.client_authentication == "credentialsBody"
        return ClientCredentials(
            token_url=self.oauth_token_endpoint,
            client_id=self.client_id,
            client_secret=self.client_secret,
            audience=self.audience,
            scope=self.scopes,
            client_authentication="body" if in_body else "basic",
        )


class _SaaS(_Credentials):
    region: Label = Field(alias="internal_region")
    cluster: Label = Field(alias="internal_cluster")

    @property
    def base_url(self) -> str:
        return f"https://{self.region}.operate.camunda.io/{self.cluster}"


class _SelfManaged(_Credentials):
    base_url: Annotated[Url, AfterValidator(strip_version)] = Field(alias="operate_base_url")


_FORMS: Mapping[str, type[_SaaS | _SelfManaged]] = {"saas": _SaaS, "sm": _SelfManaged}


@dataclass(frozen=True, slots=True)
class SearchParts:
    """The four parts of a search body, each as the task has it; nothing in them is checked."""

    filter: object
    sort: object
    search_after: object
    size: int | float | None


@dataclass(frozen=True, slots=True)
class OfficialInputs:
    """What a task of an Operate template asks for.

    `target` is the key for a get by key, or the parts of a search. `headers` are sent along.
    `idle_s` is how long the server may say nothing; None is for ever.
    """

    base_url: str
    credentials: ClientCredentials
    endpoint: str
    target: int | SearchParts
    headers: Mapping[str, str]
    idle_s: float | None


_SECTIONS = ("authentication", "input", "headers", "connectionTimeoutInSeconds")


def read_official_inputs(variables: Mapping[str, object], policy: Policy) -> OfficialInputs:
    """Read a job's variables, secrets already filled in.

    Raises:
        InputError: with every fault of the job, path and reason each, never a value.
    """
    faults = {name: Faults(name) for name in _SECTIONS}
    cluster = _read_authentication(
        variables.get("authentication"), policy, faults["authentication"]
    )
    query = _read_query(variables.get("input"), faults["input"])
    headers = _read_headers(variables.get("headers"), faults["headers"])
    idle_s = _read_idle_s(variables, faults["connectionTimeoutInSeconds"])
    found = [fault for name in _SECTIONS for fault in faults[name].found]
    if found or cluster is None or query is None:
        raise InputError(found)
    endpoint, target = query
    return OfficialInputs(
        cluster.base_url, cluster.credentials(), endpoint, target, headers, idle_s
    )


def _read_authentication(
    value: object, policy: Policy, faults: Faults
) -> _SaaS | _SelfManaged | None:
    if not isinstance(value, Mapping):
        faults.add("", "is missing" if value is None else "is not an object")
        return None
    form = _FORMS.get(str(value.get("internal_deployment_type")))
    if form is None:
        faults.add("internal_deployment_type", f"is not one of {', '.join(_FORMS)}")
        return None
    read = read_section(form, value, faults)
    if read is not None:
        named = "internal_region" if isinstance(read, _SaaS) else "operate_base_url"
        urls = [(named, read.base_url), ("oauthTokenEndpoint", read.oauth_token_endpoint)]
        check_hosts(urls, policy, faults)
    return read


def _read_query(value: object, faults: Faults) -> tuple[str, int | SearchParts] | None:
    if not isinstance(value, Mapping):
        faults.add("", "is missing" if value is None else "is not an object")
        return None
    asked = given(value)
    endpoint = asked.get("internal_endpoint")
    if endpoint not in ENDPOINTS:
        faults.add("internal_endpoint", f"is unknown; {nearest(str(endpoint), ENDPOINTS)}")
    match asked.get("internal_operation"):
        case "/search":
            return str(endpoint), _search_parts(asked)
        case "/":
            key = _read_key(asked.get("internal_key"), faults)
            return None if key is None else (str(endpoint), key)
        case _:
            faults.add("internal_operation", f"is not one of {SEARCH}, {GET_BY_KEY}")
            return None


def _search_parts(asked: Mapping[str, object]) -> SearchParts:
    return SearchParts(
        filter=asked.get("internal_filter"),
        sort=asked.get("internal_sort"),
        search_after=asked.get("internal_pagination"),
        size=_number(asked.get("internal_results")),
    )


def _number(value: object) -> int | float | None:
    """FEEL's `number()`, which the template calls; unlike there, a number counts as one too."""
    if isinstance(value, float):
        return value
    whole = whole_number(value)
    if whole is not None or not isinstance(value, str):
        return whole
    return float(value) if _NUMBER.fullmatch(value.strip()) else None


def _read_key(value: object, faults: Faults) -> int | None:
    key = whole_number(value)
    if value is None:
        faults.add("internal_key", "is missing")
    elif key is None or not 0 <= key <= INT64_MAX:
        faults.add("internal_key", "is not a whole number")
    return key


def _read_headers(value: object, faults: Faults) -> Mapping[str, str]:
    """Headers to send: without a value `Content-Type` falls away, others are sent empty."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        faults.add("", "is not an object")
        return {}
    for name, item in value.items():
        if not _HEADER_NAME.fullmatch(name):
            faults.add("", "has a name that no HTTP header can have")
        elif name.lower() in _FRAMING:
            faults.add(name, "follows from the body; remove it")
        elif isinstance(item, Mapping | list):
            faults.add(name, "is no text")
    return {
        name: _header_text(item)
        for name, item in value.items()
        if item is not None or name.lower() != "content-type"
    }


def _header_text(item: object) -> str:
    """A header's value as Java writes it."""
    if isinstance(item, bool):
        return str(item).lower()
    return "" if item is None else str(item)


def _read_idle_s(variables: Mapping[str, object], faults: Faults) -> float | None:
    """Upstream's read time-out: what is said for it, else what is said for connecting, else 20 s.

    The template sets only the one for connecting. 0 is no limit.
    """
    read, connection = (
        variables.get(name) for name in ("readTimeoutInSeconds", "connectionTimeoutInSeconds")
    )
    value = connection if is_blank(read) else read
    if is_blank(value):
        return DEFAULT_IDLE_S
    seconds = whole_number(value)
    if seconds is None or not 0 <= seconds <= INT64_MAX:
        faults.add("", "is not a whole number of seconds, 0 or more")
        return None
    return float(seconds) or None
