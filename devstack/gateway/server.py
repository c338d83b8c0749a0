from __future__ import annotations

from collections.abc import Collection

import grpc
from aiohttp import web
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from pyzeebe.proto.gateway_pb2_grpc import add_GatewayServicer_to_server

from devstack.engine import MAX_MESSAGE_BYTES, Engine
from devstack.gateway.admission import Admission, TokenCheck
from devstack.gateway.control import Control
from devstack.gateway.servicer import Servicer
from devstack.gateway.tenants import Tenants
from runtime.clock import Clock

SERVICE = "gateway_protocol.Gateway"
_MIN_PING_INTERVAL_MS = 30_000
"""Zeebe lets a client ping this often; gRPC's own default would end such connections."""


class Gateway:
    """The cluster's gRPC endpoint. `start` and `stop` take turns, any number of times.

    Args:
        engine: Carries out the calls; its `run` is its owner's business.
        clock: Time of long polls and of waiting for results.
        host: The address to listen on.
        check_token: Whether a bearer token is good; None asks for none.
        tenants: Turns multi-tenancy on: the tenants that callers may name.
        max_message_bytes: Larger requests are refused, larger answers are split.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        *,
        host: str = "127.0.0.1",
        check_token: TokenCheck | None = None,
        tenants: Collection[str] | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        self._host = host
        self._max_message_bytes = max_message_bytes
        self._admission = Admission(check_token)
        allowed = None if tenants is None else frozenset(tenants)
        self._servicer = Servicer(engine, clock, Tenants(allowed), host, max_message_bytes)
        self._server: grpc.aio.Server | None = None

    async def start(self, port: int) -> int:
        """Listen on `port` (0: any free one) and give the port.

        Raises:
            OSError: The port is taken.
            RuntimeError: It listens already.
        """
        if self._server is not None:
            raise RuntimeError("the gateway listens already; stop it first")
        server = grpc.aio.server(
            interceptors=[self._admission],
            options=[
                ("grpc.max_receive_message_length", self._max_message_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", _MIN_PING_INTERVAL_MS),
                ("grpc.keepalive_permit_without_calls", 1),
            ],
        )
        add_GatewayServicer_to_server(self._servicer, server)
        health_pb2_grpc.add_HealthServicer_to_server(await _serving(), server)
        try:
            # An IPv6 address stands in brackets before a port.
            host = f"[{self._host}]" if ":" in self._host else self._host
            bound = server.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            # gRPC's own text tells only how to see more of it.
            reason = "the port is taken, or the address is none of this machine's"
            raise OSError(f"the gateway cannot listen on {host}:{port}: {reason}") from error
        await server.start()
        self._server = server
        return bound

    def control_routes(self) -> list[web.RouteDef]:
        """Where the gateway is told over HTTP to press back."""
        return Control(self._admission).routes()

    async def stop(self) -> None:
        """Cut every call and listen no more; does nothing when it does not listen."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop(grace=None)

    def exhaust(self, requests: int, calls: Collection[str] | None = None) -> None:
        """Refuse the next `requests` calls with RESOURCE_EXHAUSTED: -1 for all, 0 for none.

        `calls` names those that count, such as `CompleteJob`; None means any.

        Raises:
            ValueError: The gateway has no such call.
        """
        self._admission.exhaust(requests, calls)


async def _serving() -> health.HealthServicer:
    servicer = health.HealthServicer()
    for service in ("", SERVICE):
        await servicer.set(service, health_pb2.HealthCheckResponse.SERVING)
    return servicer
