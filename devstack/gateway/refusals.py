from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, NoReturn, TypeAlias, TypeVar

import grpc
from grpc import StatusCode

from devstack.errors import DevstackError
from devstack.gateway.statuses import status_of

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Self = TypeVar("Self")
Request = TypeVar("Request")
Answer = TypeVar("Answer")
Method = Callable[[Self, Request, Context], Awaitable[Answer]]


def refusing(method: Method[Self, Request, Answer]) -> Method[Self, Request, Answer]:
    """Turn what the engine or the gateway refuses into its gRPC status."""

    @wraps(method)
    async def answer(self: Self, request: Request, context: Context) -> Answer:
        try:
            return await method(self, request, context)
        except DevstackError as error:
            await _abort(context, status_of(error), str(error))

    return answer


async def _abort(context: Context, status: StatusCode, message: str) -> NoReturn:
    await context.abort(status, message)
    raise AssertionError("abort does not return")
