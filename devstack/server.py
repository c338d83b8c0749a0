from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from aiohttp.typedefs import Middleware

from devstack.faults import Faults
from devstack.problems import server_error
from runtime.clock import Clock

_MAX_BODY_BYTES = 8 << 20
_STOP_TIMEOUT_S = 1.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HttpServer:
    """One HTTP server on one port, with faults of its own.

    Args:
        name: what messages call it.
        routes: what it serves, beside the control endpoint for its faults.
        clock: for delays and time stamps.
        middlewares: what stands between the faults and the handlers, outermost first.
    """

    def __init__(
        self,
        name: str,
        routes: Sequence[web.AbstractRouteDef],
        clock: Clock,
        *,
        middlewares: Sequence[Middleware] = (),
    ) -> None:
        self.name = name
        self.faults = Faults(clock)
        self.port = 0
        application = web.Application(
            middlewares=[self.faults.middleware, _refusals(clock), *middlewares],
            client_max_size=_MAX_BODY_BYTES,
        )
        application.add_routes([*routes, *self.faults.routes()])
        self._runner = web.AppRunner(
            application,
            access_log=None,
            handle_signals=False,
            # Who hangs up waits no longer: a long poll of a client that is gone takes no jobs.
            handler_cancellation=True,
            shutdown_timeout=_STOP_TIMEOUT_S,
        )

    async def start(self, host: str, port: int) -> int:
        """Listen on `host`; gives the port, which is a free one for port 0.

        Raises:
            OSError: when the port is taken.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        return self.port

    async def stop(self) -> None:
        """Close the port and every connection; safe when it never started."""
        self.faults.clear()
        await self._runner.cleanup()


def _refusals(clock: Clock) -> Middleware:
    """What no handler answers (unknown path, wrong method, body too large), as Spring says it.

    OPTIONS is answered for every path that there is, with the methods that it has.
    """

    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPError as error:
            allowed = error.headers.get("Allow")
            if allowed is not None and request.method == "OPTIONS":
                return web.Response(headers={"Allow": f"{allowed},OPTIONS"})
            response = server_error(error.status, _reason(request, error), request.path, clock)
            if allowed is not None:
                response.headers["Allow"] = allowed
            return response

    return refuse


def _reason(request: web.Request, error: web.HTTPError) -> str:
    match error.status:
        case 404 if request.path.startswith("/v2/"):
            endpoint = f"{request.method} {request.path}"
            return f"No endpoint {endpoint}: it is not available in this version."
        case 404:
            return f"No endpoint {request.method} {request.path}."
        case 405:
            return f"Request method '{request.method}' is not supported."
        case _:
            return error.reason
