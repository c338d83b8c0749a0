"""What goes wrong with a call, by the codes and in the words that upstream's expressions know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from connector.errors import (
    CallTimeout,
    ConnectionFailed,
    ConnectorError,
    HttpError,
    ResponseInvalid,
    TokenError,
)
from connector.failures import TIMED_OUT, error_body, phrase, translate
from connector.response import header_map
from runtime import errors as runtime_errors
from runtime.http import Answer
from runtime.retry_after import retry_after_s

ABORTED = "An error occurred while executing the request, or the connection was aborted"
PROTOCOL = "An error with the HTTP protocol occurred"


@contextmanager
def translating() -> Iterator[None]:
    """Turn the errors of the ground into the errors that upstream raises.

    Raises:
        ConnectorError: for any `ServiceError` or time-out that passes through.
    """
    try:
        yield
    except runtime_errors.ServiceError as error:
        raise _translate(error) from error
    except TimeoutError as error:
        raise CallTimeout(TIMED_OUT) from error


def _translate(error: runtime_errors.ServiceError) -> ConnectorError:
    """Upstream's text where it has one, the cause in the variables; else the connector's own."""
    match error:
        case runtime_errors.HttpTimeoutError():
            return CallTimeout(TIMED_OUT, cause=str(error))
        case runtime_errors.HttpTlsError():
            return ConnectionFailed(ABORTED, code="SSL_HANDSHAKE_FAILED", cause=str(error))
        case runtime_errors.HttpProtocolError():
            return ResponseInvalid(f"{PROTOCOL}: {error}", code="500")
        case (
            runtime_errors.HttpConnectError()
            | runtime_errors.HttpDisconnectedError()
            | runtime_errors.HttpTruncatedError()
            | runtime_errors.TokenUnavailableError(status=None)
        ):
            return ConnectionFailed(ABORTED, cause=str(error))
        case runtime_errors.TokenUnavailableError() | runtime_errors.TokenRefusedError():
            return _token_error(error)
        case _:
            return translate(error)


def _token_error(
    error: runtime_errors.TokenUnavailableError | runtime_errors.TokenRefusedError,
) -> TokenError:
    """A token endpoint's refusal, which has the shape of an answer of the API.

    Its headers and body are left out: they may repeat what was sent.
    """
    status = error.status or 0
    return TokenError(
        f"{phrase(status)}: {error}",
        code=str(status),
        variables={"response": {"headers": {}, "body": None}},
        retry_after_s=getattr(error, "retry_after_s", None),
    )


def raise_for_status(answer: Answer, now_ms: int) -> NoReturn:
    """Raise what an answer of status 400 or more means: its reason phrase is the message.

    Raises:
        HttpError: always.
    """
    raise HttpError(
        answer.reason or "[no reason]",
        code=str(answer.status),
        variables={
            "response": {"headers": header_map(answer.headers), "body": error_body(answer.body)}
        },
        retry_after_s=retry_after_s(answer.headers, now_ms),
    )
