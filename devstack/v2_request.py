"""What requests to the API v2 have in common: keys in paths, JSON bodies, refusals as problems."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn

import orjson
from aiohttp import web

from devstack.errors import (
    BackPressureError,
    DevstackError,
    InvalidArgumentError,
    InvalidStateError,
    MalformedRequestError,
    NotFoundError,
)
from devstack.problems import v2_problem

_INT64 = 1 << 63
_KEY = re.compile(r"-?[0-9]{1,19}")
_JSON = re.compile(r"application/(?:json|.+\+json)")
"""Camunda 8.6 and 8.7 have JSON types of their own beside the plain one."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def path_key(request: web.Request) -> int:
    """The key in the path; anything but a 64-bit integer is refused."""
    text = request.match_info["key"]
    if _KEY.fullmatch(text) is None or abs(int(text)) >= _INT64:
        refuse("The key in the path must be an integer.", "Bad Request")
    return int(text)


async def json_body(request: web.Request) -> Mapping[str, Any]:
    """The body, an object or nothing; anything else is refused."""
    text = await request.read()
    if not text.strip():
        return {}
    if _JSON.fullmatch(request.content_type) is None:
        # As Spring answers before a controller sees the request (inferred, as in the API v1).
        detail = f"Content-Type '{request.content_type}' is not supported."
        raise _RefusedError("Unsupported Media Type", detail, 415)
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        refuse("Request property [body] cannot be parsed", "Bad Request")
    if not isinstance(body, dict):
        refuse("The body must be an object", "Bad Request")
    return body


def member(body: Mapping[str, Any], name: str, kind: type) -> Any:  # noqa: ANN401 - JSON
    """A member of a body, None when it is not there; one of another type is refused."""
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        refuse(f"Request property [{name}] cannot be parsed", "Bad Request")
    return value


class _RefusedError(Exception):
    """A request that never becomes a command; `title` is the problem's title."""

    def __init__(self, title: str, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.title = title
        self.status = status


def refuse(detail: str, title: str = "INVALID_ARGUMENT") -> NoReturn:
    """Answer 400 with a problem."""
    raise _RefusedError(title, detail)


_STATUSES: dict[type[DevstackError], tuple[int, str]] = {
    NotFoundError: (404, "NOT_FOUND"),
    InvalidStateError: (409, "INVALID_STATE"),
    InvalidArgumentError: (400, "INVALID_ARGUMENT"),
    MalformedRequestError: (400, "INVALID_ARGUMENT"),
    BackPressureError: (503, "RESOURCE_EXHAUSTED"),
}


def answering(handler: Callable[[web.Request], Awaitable[web.Response | None]]) -> Handler:
    """The handler, with 204 when it gives no answer of its own and a problem when it is refused."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            response = await handler(request)
        except _RefusedError as error:
            return v2_problem(error.status, error.title, str(error), request.path)
        except DevstackError as error:
            status, title = _STATUSES.get(type(error), (500, "INTERNAL"))
            return v2_problem(status, title, str(error), request.path)
        return web.Response(status=204) if response is None else response

    return answer
