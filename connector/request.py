from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson
from pydantic import SecretStr

from connector.authentication import Anonymous, Basic, OAuth, Session
from connector.inputs import Inputs
from connector.operations import Operation
from connector.query import Query, Search
from runtime.oauth import ClientCredentials


@dataclass(frozen=True, slots=True)
class BasicLogin:
    """User name and password, sent with each request."""

    username: SecretStr
    password: SecretStr


@dataclass(frozen=True, slots=True)
class SessionLogin:
    """A login at `base_url` that gives a cookie for the requests that follow."""

    base_url: str
    username: SecretStr
    password: SecretStr


Authorization = ClientCredentials | BasicLogin | SessionLogin | None


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP call, complete but for what its authorization adds to the headers.

    `operation` says what a good answer is. `search` is what `body` was made from, so that the
    request for the next page can be made. `timeout_s` covers the whole job.
    """

    operation: Operation
    url: str
    body: bytes | None
    authorization: Authorization
    timeout_s: float
    search: Search | None = None

    @property
    def line(self) -> str:
        """Method and URL, for people."""
        return f"{self.operation.method} {self.url}"


def build(inputs: Inputs) -> Request:
    """The call that `inputs` mean on the Operate API v1."""
    query = inputs.query
    return Request(
        operation=query.operation,
        url=f"{inputs.cluster.base_url}/v1{_path(query)}",
        body=None if query.search is None else _body(query.search),
        authorization=_authorization(inputs),
        timeout_s=inputs.timeout_s,
        search=query.search,
    )


def next_page(request: Request, sort_values: Sequence[object], missing: int) -> Request:
    """The call for the page after the one that ended with `sort_values`.

    `missing` is how many items are still wanted; a page never asks for more.
    """
    if request.search is None:
        raise ValueError("only a search has pages")
    search = replace(request.search, pagination=tuple(sort_values), max_items=missing)
    return replace(request, search=search, body=_body(search))


def _path(query: Query) -> str:
    return query.endpoint.path + query.operation.suffix.replace("{key}", str(query.key))


def _body(search: Search) -> bytes:
    """The API's search body; what was not asked for is left out."""
    body: dict[str, object] = {"size": search.page_size}
    if search.filter is not None:
        body["filter"] = search.filter
    if search.sort:
        body["sort"] = [{"field": key.field, "order": key.order} for key in search.sort]
    if search.pagination:
        body["searchAfter"] = search.pagination
    return orjson.dumps(body)


def _authorization(inputs: Inputs) -> Authorization:
    cluster = inputs.cluster
    match inputs.authentication:
        case OAuth() as oauth:
            return ClientCredentials(
                token_url=cluster.token_url or "",
                client_id=oauth.client_id.get_secret_value(),
                client_secret=oauth.client_secret,
                audience=oauth.audience or cluster.audience,
                scope=oauth.scopes,
            )
        case Basic() as basic:
            return BasicLogin(basic.username, basic.password)
        case Session() as session:
            return SessionLogin(cluster.base_url, session.username, session.password)
        case Anonymous():
            return None
