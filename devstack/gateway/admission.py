"""What stands before every call: the token check, and refusals on request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any

import grpc
from grpc import StatusCode
from pyzeebe.proto.gateway_pb2 import DESCRIPTOR
from typing_extensions import override

from devstack.errors import BackPressureError, RequestRefusedError, UnauthenticatedError
from devstack.gateway.statuses import status_of

TokenCheck = Callable[[str], bool]
"""Whether a bearer token is (still) good."""

_GATEWAY_PREFIX = "/gateway_protocol.Gateway/"
_BEARER = "bearer "
_CALLS = frozenset(DESCRIPTOR.services_by_name["Gateway"].methods_by_name)


class Admission(grpc.aio.ServerInterceptor):
    """Lets calls of the gateway's own service pass, or answers them with a refusal.

    Args:
        check_token: None lets every caller in.
    """

    def __init__(self, check_token: TokenCheck | None) -> None:
        self._check_token = check_token
        self._refusals = 0
        self._refused_calls: frozenset[str] | None = None

    def exhaust(self, requests: int, calls: Collection[str] | None = None) -> None:
        """Refuse the next `requests` calls with RESOURCE_EXHAUSTED: -1 for all, 0 for none.

        `calls` names those that count, such as `CompleteJob`; None means any.

        Raises:
            ValueError: The gateway has no such call.
        """
        if unknown := sorted(set(calls or ()) - _CALLS):
            raise ValueError(f"the gateway has no call {', '.join(unknown)}")
        self._refusals = requests
        self._refused_calls = None if calls is None else frozenset(calls)

    @override
    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails],
            Awaitable[grpc.RpcMethodHandler[Any, Any] | None],
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not method.startswith(_GATEWAY_PREFIX):
            return handler
        try:
            self._authenticate(handler_call_details)
            self._press_back(method.removeprefix(_GATEWAY_PREFIX))
        except RequestRefusedError as error:
            return _refusing(handler, error)
        return handler

    def _authenticate(self, details: grpc.HandlerCallDetails) -> None:
        if self._check_token is None:
            return
        values = [value for key, value in details.invocation_metadata if key == "authorization"]
        header = str(values[0]) if values else ""
        if not header.lower().startswith(_BEARER):
            raise UnauthenticatedError(
                "Expected bearer token at header with key [authorization], but found nothing",
            )
        if not self._check_token(header[len(_BEARER) :].strip()):
            raise UnauthenticatedError(
                "Expected a valid token, but the bearer token is unknown or has expired",
            )

    def _press_back(self, call: str) -> None:
        counts = self._refused_calls is None or call in self._refused_calls
        if self._refusals == 0 or not counts:
            return
        if self._refusals > 0:
            self._refusals -= 1
        raise BackPressureError("Reached maximum capacity of requests handled")


def _refusing(
    handler: grpc.RpcMethodHandler[Any, Any],
    error: RequestRefusedError,
) -> grpc.RpcMethodHandler[Any, Any]:
    status: StatusCode = status_of(error)

    async def refuse(_request: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        await context.abort(status, str(error))

    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler(
            refuse,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
    return grpc.unary_unary_rpc_method_handler(
        refuse,
        request_deserializer=handler.request_deserializer,
        response_serializer=handler.response_serializer,
    )
