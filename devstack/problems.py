"""Error bodies of the cluster's HTTP APIs: three dialects, by where the error arises.

- The API v1's controllers: four fields, no RFC 9457 (Operate's public code).
- The API v2: RFC 9457 with `about:blank` (§6.5).
- Whatever the server answers outside its controllers: Spring's default body (§4, last paragraph).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from uuid import uuid4

import orjson
from aiohttp import web

from devstack.operate.dates import to_text
from devstack.operate.errors import ApiError
from runtime.clock import Clock

_PROBLEM_JSON = "application/problem+json"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def v1_problem(error: ApiError) -> web.Response:
    """The body of an API v1 error: status, message, instance and type, in this order."""
    body = {
        "status": error.status,
        "message": str(error),
        "instance": str(uuid4()),
        "type": error.type,
    }
    return _problem(error.status, body)


def answering_v1(handler: Handler) -> Handler:
    """The handler, with its refusals turned into the API v1's error bodies."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ApiError as error:
            return v1_problem(error)

    return answer


def v2_problem(status: int, title: str, detail: str, path: str) -> web.Response:
    """The body of an API v2 error; `instance` is the request's path."""
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": path,
    }
    return _problem(status, body)


def spring_error(status: int, message: str, path: str, clock: Clock) -> web.Response:
    """The body that Spring gives to what no controller handles."""
    body = {
        "timestamp": to_text(clock.now_ms(), rfc3339=True),
        "status": status,
        "error": HTTPStatus(status).phrase,
        "message": message,
        "path": path,
    }
    return json_response(body, status=status)


def server_error(status: int, message: str, path: str, clock: Clock) -> web.Response:
    """An error outside the controllers, in the dialect of the API that the path belongs to."""
    if path.startswith("/v2/"):
        return v2_problem(status, HTTPStatus(status).phrase, message, path)
    return spring_error(status, message, path, clock)


def json_response(body: object, *, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")


def _problem(status: int, body: dict[str, object]) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type=_PROBLEM_JSON)
