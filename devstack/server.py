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
    """What no handler answers (unknown path, wrong method, body too large), as Spring says it."""

    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPError as error:
            message = f"No endpoint {request.method} {request.path}."
            response = server_error(
                error.status,
                message if error.status in (404, 405) else error.reason,
                request.path,
                clock,
            )
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
            return response

    return refuse
