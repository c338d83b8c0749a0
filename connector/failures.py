"""The one place where foreign errors and bad answers become errors of a job."""

from __future__ import annotations

import http
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

import orjson

from connector.errors import (
    CallTimeout,
    ConnectionFailed,
    ConnectorError,
    Fault,
    HttpError,
    InputError,
    ResponseInvalid,
    TokenError,
)
from connector.operations import DELETE
from connector.request import Request
from connector.response import header_map
from runtime import errors as runtime_errors
from runtime.http import Answer
from runtime.retry_after import retry_after_s

TIMED_OUT = "The request timed out. Please try increasing the read and connection timeouts."

_REMEDIES: Mapping[int, str] = {
    400: "Check the inputs of this task",
    401: "Check the credentials and the audience",
    403: "Give these credentials the permission to read, in Identity or Console",
    404: "Check the key and the URL; what was just created can be seen a moment later",
    429: "Ask less often",
}
_REMEDIES_OF_DELETE: Mapping[int, str] = {
    **_REMEDIES,
    400: "Delete only what has ended, that is COMPLETED or CANCELED",
    403: "Give these credentials the permission to delete, in Identity or Console",
    404: "Check the key and the URL; it may be deleted already",
}
_TOO_LATE = "No whole answer in time; give the task more with timeoutSeconds, or ask for less"
_SHOWN_CHARS = 500
_SERVER_ERROR = 500


@contextmanager
def translating() -> Iterator[None]:
    """Turn the errors of the ground into errors of this job.

    Raises:
        ConnectorError: for any `ServiceError` or time-out that passes through.
    """
    try:
        yield
    except runtime_errors.ServiceError as error:
        raise translate(error) from error
    except TimeoutError as error:
        raise CallTimeout(_TOO_LATE) from error


def translate(error: runtime_errors.ServiceError) -> ConnectorError:  # noqa: PLR0911  # one return for each foreign error
    """The job's error for an error of the ground; upstream's codes where it has any."""
    text = _remedy_first(str(error))
    match error:
        case runtime_errors.TokenUnavailableError():
            code = "OAUTH_TOKEN_ERROR" if error.status is None else str(error.status)
            return TokenError(text, code=code, retry_after_s=error.retry_after_s)
        case runtime_errors.TokenRefusedError():
            return TokenError(text, code=str(error.status))
        case runtime_errors.TokenError():
            return TokenError(text, code="OAUTH_TOKEN_ERROR")
        case runtime_errors.HttpTimeoutError():
            return CallTimeout(f"{_TOO_LATE}: {text}")
        case runtime_errors.HttpTlsError():
            return ConnectionFailed(text, code="SSL_HANDSHAKE_FAILED")
        case runtime_errors.HttpTooLargeError():
            return ResponseInvalid(f"{text} (CONNECTOR_MAX_RESPONSE_BYTES)")
        case runtime_errors.HttpTruncatedError():
            return ResponseInvalid(text, code="408")
        case runtime_errors.HttpProtocolError():
            return ResponseInvalid(text, code="500")
        case runtime_errors.HttpRequestError():
            return InputError([Fault("", text)])
        case _:
            return ConnectionFailed(text)


def _remedy_first(text: str) -> str:
    """A message of the ground, which ends in what to do, begun with it: an incident is cut off."""
    problem, _, remedy = text.rpartition("; ")
    return f"{remedy[0].upper()}{remedy[1:]}: {problem}" if problem and remedy else text


def raise_for_status(answer: Answer, request: Request, now_ms: int) -> NoReturn:
    """Raise what an answer of status 400 or more to `request` means.

    Raises:
        HttpError: always; its `variables` hold headers and body under `response`.
    """
    body = error_body(answer.body)
    remedies = _REMEDIES_OF_DELETE if request.operation is DELETE else _REMEDIES
    remedy = remedies.get(answer.status, "")
    if answer.status >= _SERVER_ERROR:
        remedy = "The API cannot answer just now; look at its logs when this goes on"
    said = f"status {answer.status} {answer.reason or phrase(answer.status)}{_message(body)}"
    raise HttpError(
        f"{remedy or 'The API refused the request'}: {request.line} was answered with {said}",
        code=str(answer.status),
        variables={"response": {"headers": header_map(answer.headers), "body": body}},
        retry_after_s=retry_after_s(answer.headers, now_ms),
    )


def error_body(body: bytes) -> object:
    """The body of an error answer: parsed when it is a JSON object or array, else its text."""
    text = body.decode("utf-8", "replace")
    if text.lstrip()[:1] in {"{", "["}:
        try:
            value = orjson.loads(body)
            # What is nested too deeply to be written again is of more use as text.
            orjson.dumps(value)
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            return text
        return value
    return text or None


def _message(body: object) -> str:
    message = body.get("message") or body.get("detail") if isinstance(body, Mapping) else None
    return f": {message[:_SHOWN_CHARS]}" if isinstance(message, str) else ""


def phrase(status: int) -> str:
    """The usual reason phrase of a status, or upstream's words for none."""
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "[no reason]"
