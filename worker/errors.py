"""What a call to the gateway can end in; the type alone decides what happens next.

    GatewayError
    ├── Retryable               the same call may succeed later
    │   ├── Unavailable         not reached, or an answer that says nothing about the command
    │   │   └── TimedOut        no answer within the call's deadline
    │   ├── Busy                back pressure
    │   ├── Unauthenticated     the token was refused; a new one may be taken
    │   └── CredentialsMissing  no token could be had
    ├── JobGone                 done, cancelled or timed out: somebody else has the job
    ├── Rejected                the same command will be refused again
    │   └── TooLarge            more bytes than the gateway takes in one message
    ├── Forbidden               the client lacks a permission
    └── Unsupported             the gateway does not have this call

`translate` is the only place that looks at a gRPC status.
"""

from __future__ import annotations

import re
from typing import Final

import grpc

ZEEBE_MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
"""Zeebe's default `maxMessageSize`."""

_DETAILS_MAX_CHARS: Final = 300


class GatewayError(Exception):
    """A call to the gateway failed; the message says what to look at and holds no input value."""


class Retryable(GatewayError):
    """The same call may succeed later."""


class Unavailable(Retryable):
    """The gateway was not reached, or did not say what became of the call."""


class TimedOut(Unavailable):
    """No answer came within the call's deadline; a stream ends its regular life this way."""


class Busy(Retryable):
    """The gateway or its brokers take no more work just now."""


class Unauthenticated(Retryable):
    """The gateway refused the credentials."""


class CredentialsMissing(Retryable):
    """No credentials could be had for the call."""


class JobGone(GatewayError):
    """The job is not there any more: done by another worker, cancelled or timed out."""


class Rejected(GatewayError):
    """The gateway refuses this call however often it is made."""


class TooLarge(Rejected):
    """The command is larger than the gateway accepts."""


class Forbidden(GatewayError):
    """The client is known but may not do this."""


class Unsupported(GatewayError):
    """The gateway has no such call, for example job streaming before Camunda 8.4."""


_TYPES: Final[dict[grpc.StatusCode, type[GatewayError]]] = {
    grpc.StatusCode.CANCELLED: Unavailable,
    grpc.StatusCode.UNKNOWN: Unavailable,
    grpc.StatusCode.INVALID_ARGUMENT: Rejected,
    grpc.StatusCode.DEADLINE_EXCEEDED: TimedOut,
    grpc.StatusCode.NOT_FOUND: JobGone,
    grpc.StatusCode.ALREADY_EXISTS: Rejected,
    grpc.StatusCode.PERMISSION_DENIED: Forbidden,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Busy,
    grpc.StatusCode.FAILED_PRECONDITION: Rejected,
    grpc.StatusCode.ABORTED: Unavailable,
    grpc.StatusCode.OUT_OF_RANGE: Rejected,
    grpc.StatusCode.UNIMPLEMENTED: Unsupported,
    grpc.StatusCode.INTERNAL: Unavailable,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DATA_LOSS: Unavailable,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
}

_HINTS: Final[dict[type[GatewayError], str]] = {
    Unavailable: "is it running, and is the address right?",
    TimedOut: "no answer in time; is it overloaded or cut off?",
    Busy: "it asks for a pause (back pressure)",
    Unauthenticated: "check client id, secret and audience",
    JobGone: "the job was done by another worker, cancelled or timed out",
    Rejected: "it does not accept the request in this form or state",
    TooLarge: "raise its maxMessageSize, or make the result smaller",
    Forbidden: "give the client the permission it lacks",
    Unsupported: "it has no such call; is it older than this worker expects?",
}


def translate(
    status: grpc.StatusCode, details: str | None, *, gateway: str, sent_bytes: int = 0
) -> GatewayError:
    """The error for a failed call.

    Args:
        status: How the call ended; never OK.
        details: The status' text, which is shown only when it speaks of the connection.
        gateway: `host:port`, for the message.
        sent_bytes: Size of the request.

    Raises:
        KeyError: For a status that gRPC does not have today.
    """
    error = TooLarge if _is_too_large(status, details, sent_bytes) else _TYPES[status]
    message = f"gateway {gateway} answered {status.name}: {_HINTS[error]}"
    # Only a transport's own text is repeated: other details may quote a variable.
    if status is grpc.StatusCode.UNAVAILABLE and details:
        message = f"{message} ({details[:_DETAILS_MAX_CHARS]})"
    return error(message)


def _is_too_large(status: grpc.StatusCode, details: str | None, sent_bytes: int) -> bool:
    """Whether the message's size is what the call failed for.

    gRPC has no status of its own for this. C, Go and Java say RESOURCE_EXHAUSTED, which back
    pressure uses as well, so that their wording is all there is to tell the two apart. Zeebe's
    Netty server mostly resets the stream, which arrives as CANCELLED without a word
    (camunda/camunda issue 7632): there the size decides.
    """
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return bool(_SIZE_WORDING.search(details or ""))
    return status is grpc.StatusCode.CANCELLED and sent_bytes > ZEEBE_MAX_MESSAGE_BYTES


_SIZE_WORDING: Final = re.compile(r"message (larger than max|exceeds maximum size)", re.IGNORECASE)
