"""Faults on request: what a real network and a real server do wrong, when a test wants it.

Each HTTP server has its own. In Python: `stack.faults["operate"].add(Status(500), times=3)`. Over
HTTP, on the server's own port and without credentials:

    POST   /devstack/faults   {"kind": "status", "status": 500, "times": 3, "path": "/v1/"}
    GET    /devstack/faults   the faults that are still to come
    DELETE /devstack/faults   none from now on; what hangs goes on

A fault is used up after `times` requests (0: never) whose path begins with `path` (and that have
this `method`, when it is given); the first that fits a request is the one it gets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, assert_never

import msgspec
from aiohttp import web
from aiohttp.typedefs import Middleware

from runtime.clock import Clock

CONTROL_PATH = "/devstack/faults"
HTML = "<!doctype html><html><head><title>Sign in</title></head><body>Sign in</body></html>"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Fault(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"
):
    """What every fault has: how often, and for which requests.

    Attributes:
        times: how many requests get it; 0 means every one until the faults are cleared.
        path: what a request's path begins with.
        method: an HTTP method; None means any.
    """

    times: Annotated[int, msgspec.Meta(ge=0)] = 1
    path: str = "/"
    method: str | None = None


class Status(Fault, frozen=True, tag="status"):
    """Answers this status instead, such as 500, or 401 for a token that is not taken once.

    Attributes:
        status: the HTTP status.
        body: the body, as it is.
        content_type: its media type.
        retry_after: the `Retry-After` header: seconds, or an HTTP date.
    """

    status: Annotated[int, msgspec.Meta(ge=200, le=599)]
    body: str = ""
    content_type: str = "text/plain"
    retry_after: str | int | None = None


class HtmlPage(Fault, frozen=True, tag="html"):
    """Answers a sign-in page with status 200, as a proxy before an API does."""


class Delay(Fault, frozen=True, tag="delay"):
    """Answers rightly, but only after this many seconds."""

    delay_s: Annotated[float, msgspec.Meta(ge=0)]


class Hang(Fault, frozen=True, tag="hang"):
    """Takes the request and says nothing until the faults are cleared or the server stops."""


class Cut(Fault, frozen=True, tag="cut"):
    """Resets the connection instead of an answer; the request has no effect."""


class HalfBody(Fault, frozen=True, tag="half-body"):
    """Does what is asked, announces the whole answer, sends half of it and closes."""


AnyFault = Status | HtmlPage | Delay | Hang | Cut | HalfBody


@dataclass(slots=True)
class _Planned:
    """A fault that waits for its requests; the one thing here that changes."""

    fault: AnyFault
    left: int | None


class Faults:
    """The faults that wait on one server."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._planned: list[_Planned] = []
        self._cleared = asyncio.Event()

    def add(self, *faults: AnyFault) -> None:
        """Plan faults, behind those that wait already."""
        self._planned += [_Planned(fault, fault.times or None) for fault in faults]

    def clear(self) -> None:
        """Plan nothing any more, and let what hangs go on."""
        self._planned.clear()
        self._cleared.set()
        self._cleared = asyncio.Event()

    @property
    def waiting(self) -> list[AnyFault]:
        """The faults still to come, with the times that are left of each."""
        return [
            msgspec.structs.replace(planned.fault, times=planned.left or 0)
            for planned in self._planned
        ]

    def routes(self) -> list[web.RouteDef]:
        """The control endpoint."""
        return [
            web.post(CONTROL_PATH, self._post),
            web.get(CONTROL_PATH, self._get),
            web.delete(CONTROL_PATH, self._delete),
        ]

    @property
    def middleware(self) -> Middleware:
        """Gives a request its fault; to stand before everything else."""

        @web.middleware
        async def disturb(request: web.Request, handler: Handler) -> web.StreamResponse:
            fault = None if request.path.startswith("/devstack/") else self._take(request)
            return (
                await handler(request)
                if fault is None
                else await self._give(fault, request, handler)
            )

        return disturb

    def _take(self, request: web.Request) -> AnyFault | None:
        for planned in self._planned:
            fault = planned.fault
            if request.path.startswith(fault.path) and _is_of(fault, request.method):
                if planned.left is not None:
                    planned.left -= 1
                    if planned.left == 0:
                        self._planned.remove(planned)
                return fault
        return None

    async def _give(
        self,
        fault: AnyFault,
        request: web.Request,
        handler: Handler,
    ) -> web.StreamResponse:
        match fault:
            case Status():
                return _status(fault)
            case HtmlPage():
                return web.Response(text=HTML, content_type="text/html")
            case Delay():
                await self._clock.sleep(fault.delay_s)
                return await handler(request)
            case Hang():
                await self._cleared.wait()
                return await handler(request)
            case Cut():
                return _cut(request)
            case HalfBody():
                return await _half(request, await handler(request))
            case _:
                assert_never(fault)

    async def _post(self, request: web.Request) -> web.Response:
        try:
            fault = msgspec.json.decode(await request.read(), type=AnyFault)
        except msgspec.ValidationError as error:
            return web.Response(status=400, text=f"no fault of ours: {error}\n")
        except msgspec.DecodeError as error:
            return web.Response(status=400, text=f"not JSON: {error}\n")
        self.add(fault)
        return web.Response(status=204)

    async def _get(self, _request: web.Request) -> web.Response:
        body = msgspec.json.encode(self.waiting)
        return web.Response(body=body, content_type="application/json")

    async def _delete(self, _request: web.Request) -> web.Response:
        self.clear()
        return web.Response(status=204)


def _is_of(fault: AnyFault, method: str) -> bool:
    return fault.method is None or fault.method.upper() == method


def _status(fault: Status) -> web.Response:
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return web.Response(
        status=fault.status,
        text=fault.body,
        content_type=fault.content_type,
        headers=headers,
    )


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    # The server finds the connection gone when it writes this.
    return web.Response()


async def _half(request: web.Request, whole: web.StreamResponse) -> web.StreamResponse:
    body = whole.body if isinstance(whole, web.Response) else None
    sent = body if isinstance(body, bytes) else b""
    half = web.StreamResponse(status=whole.status, headers=whole.headers)
    half.content_length = len(sent)
    await half.prepare(request)
    await half.write(sent[: len(sent) // 2])
    if request.transport is not None:
        request.transport.close()
    return half
