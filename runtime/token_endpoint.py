from __future__ import annotations

import base64
import math
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

import orjson
from aiohttp import ClientSession
from pydantic import SecretStr

from runtime.errors import (
    HttpError,
    HttpProtocolError,
    HttpRequestError,
    HttpTooLargeError,
    TokenMalformedError,
    TokenRefusedError,
    TokenUnavailableError,
)
from runtime.http import Answer, exchange
from runtime.http_errors import origin_of
from runtime.retry_after import retry_after_s

DEFAULT_LIFETIME_S = 300.0
"""Taken for a token whose answer has no `expires_in` above 0, as Camunda's exporter does."""

DEFAULT_TYPE = "Bearer"
"""Taken for a token whose answer has no `token_type`."""

LONGEST_LIFETIME_S = 86_400.0
"""A token is asked for anew after a day, however long it says that it lives."""

_LIMIT_BYTES = 1_048_576
_TOKEN = re.compile(r"[\x21-\x7e]+")
_TYPE = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")
_TOO_MANY_REQUESTS = 429
# What to look at, by the error code of RFC 6749 §5.2 and RFC 8707 §2. No other text of an answer
# is repeated: it is the server's, and may hold what we sent.
_CHECKS = {
    "invalid_client": "client id and client secret",
    "invalid_grant": "client id and client secret",
    "unauthorized_client": "whether the client may use the client credentials grant",
    "access_denied": "whether the client may ask for this audience",
    "invalid_scope": "scope",
    "invalid_target": "audience and resource",
    "invalid_request": "audience, scope and resource",
    "unsupported_grant_type": "token URL",
}


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a token is asked with: the key of the token cache, secret included, not printable.

    Attributes:
        token_url: The token endpoint.
        client_id: Id of the client.
        client_secret: Its secret.
        audience: Sent when not blank.
        scope: Space-separated; sent when not blank.
        resource: Sent when not blank (RFC 8707).
        client_authentication: Whether id and secret go in the form or as HTTP Basic. The header
            holds them as they are, as Camunda's connector sends them, not form-encoded first.
    """

    token_url: str
    client_id: str
    client_secret: SecretStr
    audience: str | None = None
    scope: str | None = None
    resource: str | None = None
    client_authentication: Literal["body", "basic"] = "body"


@dataclass(frozen=True, slots=True)
class Grant:
    """A token.

    Attributes:
        token: Its text.
        lifetime_s: How long it lives, in seconds from when it was asked for.
        token_type: As the endpoint spells it.
    """

    token: SecretStr
    lifetime_s: float
    token_type: str = DEFAULT_TYPE


async def request_grant(
    session: ClientSession, credentials: ClientCredentials, *, timeout_s: float, now_ms: int
) -> Grant:
    """Ask the token endpoint once.

    Raises:
        TokenRefusedError: It said no.
        TokenUnavailableError: It is away, or asks to come back later.
        TokenMalformedError: Its answer holds no token.
    """
    try:
        answer = await exchange(
            session,
            "POST",
            credentials.token_url,
            headers=_headers(credentials),
            body=form(credentials),
            limit_bytes=_LIMIT_BYTES,
            timeout_s=timeout_s,
        )
    except (HttpRequestError, HttpProtocolError, HttpTooLargeError) as error:
        raise TokenMalformedError(f"no token; check the token URL: {error}") from error
    except HttpError as error:
        raise TokenUnavailableError(f"no token; check the token URL: {error}") from error
    _refuse_errors(credentials, answer, now_ms)
    return _grant(credentials, answer.body)


def form(credentials: ClientCredentials) -> bytes:
    """The form body, in the order that Camunda's clients use; blank parts are left out."""
    in_body = credentials.client_authentication == "body"
    parts = {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id if in_body else None,
        "client_secret": credentials.client_secret.get_secret_value() if in_body else None,
        "audience": credentials.audience,
        "scope": credentials.scope,
        "resource": credentials.resource,
    }
    return urlencode({name: part for name, part in parts.items() if part and part.strip()}).encode()


def _headers(credentials: ClientCredentials) -> dict[str, str]:
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }
    if credentials.client_authentication == "basic":
        pair = f"{credentials.client_id}:{credentials.client_secret.get_secret_value()}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return headers


def _refuse_errors(credentials: ClientCredentials, answer: Answer, now_ms: int) -> None:
    status, origin = answer.status, origin_of(credentials.token_url)
    if status == _TOO_MANY_REQUESTS or status >= 500:  # noqa: PLR2004 - the class of a status
        raise TokenUnavailableError(
            f"no token: the token endpoint of {origin} answers {status} for now",
            status,
            retry_after_s(answer.headers, now_ms),
        )
    if not 200 <= status < 300:  # noqa: PLR2004 - the class of a status
        code = _error_code(answer.body)
        check = _CHECKS.get(code, "token URL, client id, client secret, audience and scope")
        said = f"{status} {code}" if code else str(status)
        raise TokenRefusedError(
            f"no token: the token endpoint of {origin} answers {said}; check {check}", status
        )


def _error_code(body: bytes) -> str:
    """The answer's OAuth error code if it is a known one, else empty."""
    try:
        code = orjson.loads(body).get("error")
    except (orjson.JSONDecodeError, AttributeError):
        return ""
    return code if isinstance(code, str) and code in _CHECKS else ""


def _grant(credentials: ClientCredentials, body: bytes) -> Grant:
    try:
        fields = orjson.loads(body)
        token = fields.get("access_token")
    except (orjson.JSONDecodeError, AttributeError):
        raise _malformed(credentials, "its answer is no JSON object") from None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise _malformed(credentials, "its answer has no usable access_token")
    token_type = fields.get("token_type") or DEFAULT_TYPE
    if not isinstance(token_type, str) or not _TYPE.fullmatch(token_type):
        raise _malformed(credentials, "its answer's token_type cannot stand in a header")
    lifetime_s = _lifetime_s(credentials, fields.get("expires_in"))
    return Grant(SecretStr(token), lifetime_s, token_type)


def _lifetime_s(credentials: ClientCredentials, expires_in: object) -> float:
    if expires_in is None:
        return DEFAULT_LIFETIME_S
    # Some servers write the number as text.
    if isinstance(expires_in, str | int | float) and not isinstance(expires_in, bool):
        try:
            seconds = float(expires_in)
        except (ValueError, OverflowError):
            seconds = math.nan
        if math.isfinite(seconds):
            return min(seconds, LONGEST_LIFETIME_S) if seconds > 0 else DEFAULT_LIFETIME_S
    raise _malformed(credentials, "its answer's expires_in is no number of seconds")


def _malformed(credentials: ClientCredentials, problem: str) -> TokenMalformedError:
    return TokenMalformedError(
        f"no token from the token endpoint of {origin_of(credentials.token_url)}: {problem}; "
        "check the token URL"
    )
