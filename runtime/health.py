from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from yarl import URL

from runtime.clock import Clock, SystemClock
from runtime.errors import HttpError, ListenError
from runtime.http import HttpOptions, exchange, open_session
from runtime.status import Section, Status, as_json, as_page

Check = Callable[[], str | None]
"""Gives the reason why something is not well, None when it is. Must not block or wait."""

_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_ANSWER_LIMIT_BYTES = 65_536


def _no_sections() -> Sequence[Section]:
    return ()


@dataclass(frozen=True, slots=True)
class Management:
    """What the management port of a service tells.

    Attributes:
        service: Name of the program.
        version: Its version.
        registry: Its metrics.
        ready: Checks of readiness by name, such as whether the gateway answers.
        alive: Checks of liveness by name. Never of a peer: a peer's outage must not restart us.
        sections: What the status page shows; asked with each page.
        refresh_s: How often the page reloads itself.
    """

    service: str
    version: str
    registry: CollectorRegistry
    ready: Mapping[str, Check] = field(default_factory=dict)
    alive: Mapping[str, Check] = field(default_factory=dict)
    sections: Callable[[], Sequence[Section]] = _no_sections
    refresh_s: int = 5


@asynccontextmanager
async def serve(
    management: Management, port: int, *, host: str | None = None, clock: Clock | None = None
) -> AsyncIterator[str]:
    """Answer on the management port while the block runs; gives the URL to ask at.

    Args:
        management: What to tell.
        port: Port; 0 takes a free one.
        host: Address to listen at; None means every one, IPv4 and IPv6.
        clock: For the uptime.

    Raises:
        ListenError: The port cannot be had.
    """
    listener = _listen(host, port)
    runner = web.AppRunner(
        _application(management, clock or SystemClock()),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=1.0,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield str(URL.build(scheme="http", host=host or "localhost", port=_port(listener)))
    finally:
        await runner.cleanup()
        listener.close()


async def ask(url: str, timeout_s: float = 3.0) -> str | None:
    """Ask a running service whether it is alive; None when it is, else why not.

    Args:
        url: Of its management port, such as `http://localhost:9601`.
        timeout_s: How long it may take; a service whose loop hangs does not answer at all.
    """
    async with open_session(HttpOptions(connections=1)) as session:
        try:
            answer = await exchange(
                session,
                "GET",
                URL(url) / "livez",
                limit_bytes=_ANSWER_LIMIT_BYTES,
                timeout_s=timeout_s,
            )
        except HttpError as error:
            return str(error)
    return None if answer.status == web.HTTPOk.status_code else f"{url} answers {answer.status}"


def _application(management: Management, clock: Clock) -> web.Application:
    started_s = clock.monotonic_s()

    def status() -> Status:
        return Status(
            service=management.service,
            version=management.version,
            uptime_s=clock.monotonic_s() - started_s,
            reasons=_reasons(management.ready),
            sections=management.sections(),
        )

    async def livez(_request: web.Request) -> web.Response:
        return _verdict(_reasons(management.alive))

    async def readyz(_request: web.Request) -> web.Response:
        return _verdict(_reasons(management.ready))

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        body = encode(management.registry)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def status_json(_request: web.Request) -> web.Response:
        return _json(as_json(status()))

    async def page(_request: web.Request) -> web.Response:
        html = as_page(status(), management.refresh_s)
        return web.Response(text=html, content_type="text/html", headers=_PAGE_HEADERS)

    application = web.Application()
    answers: dict[str, Callable[[web.Request], Awaitable[web.Response]]] = {
        "/livez": livez,
        "/readyz": readyz,
        "/metrics": metrics,
        "/status.json": status_json,
        "/": page,
        # Camunda's paths, so that its probes and monitors work unchanged.
        "/actuator/health/liveness": livez,
        "/actuator/health/readiness": readyz,
        "/actuator/prometheus": metrics,
    }
    application.add_routes([web.get(path, answer) for path, answer in answers.items()])
    return application


def _reasons(checks: Mapping[str, Check]) -> dict[str, str]:
    found = {name: check() for name, check in checks.items()}
    return {name: reason for name, reason in found.items() if reason is not None}


def _verdict(reasons: Mapping[str, str]) -> web.Response:
    # `status` is what Camunda's own endpoints say.
    body = {"status": "DOWN" if reasons else "UP", "reasons": reasons}
    return _json(body, status=503 if reasons else 200)


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(body),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def _listen(host: str | None, port: int) -> socket.socket:
    try:
        if host is None and socket.has_dualstack_ipv6():
            return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
        family = socket.AF_INET6 if host is not None and ":" in host else socket.AF_INET
        return socket.create_server((host or "", port), family=family)
    except OSError as error:
        raise ListenError(
            f"port {port} cannot be listened at ({error.strerror}); free it or set another port"
        ) from error


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])
