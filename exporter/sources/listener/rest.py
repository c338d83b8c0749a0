from __future__ import annotations

import base64
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import ClientSession
from yarl import URL

from exporter.errors import SourceRefused, SourceUnavailable
from exporter.sources import Credentials
from runtime.clock import Clock
from runtime.errors import (
    HttpError,
    HttpRequestError,
    HttpTlsError,
    TokenError,
    TokenUnavailableError,
)
from runtime.http import Answer, exchange
from runtime.http_errors import origin_of
from runtime.oauth import TokenCache
from runtime.retry_after import retry_after_s

_ANSWER_BYTES = 64 << 20
_TIMEOUT_S = 10.0
_AWAY = frozenset({408, 425, 429, 500, 502, 503, 504})


class RestClient:
    """Requests to a cluster's API v2, with whatever lets us in.

    Every method raises `SourceUnavailable` when the cluster is away or asks to wait, and
    `SourceRefused` when it will not answer this way.

    Args:
        session: From `runtime.http.open_session`.
        base: http(s) URL of the cluster, without `/v2`.
        credentials: User name and password, those of OAuth, or none.
        tokens: Where access tokens come from.
        clock: For dates in `Retry-After`.
    """

    def __init__(
        self,
        session: ClientSession,
        base: URL,
        credentials: Credentials,
        *,
        tokens: TokenCache,
        clock: Clock,
    ) -> None:
        self.origin = origin_of(base)
        self._session = session
        self._base = base / "v2"
        self._oauth = credentials.oauth
        self._basic = _basic(credentials)
        self._tokens = tokens
        self._clock = clock

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> Answer:
        """Send one request; after a 401 once more with a new token. Statuses are no errors."""
        if self._oauth is None:
            return await self._send(method, path, body, timeout_s, self._basic)
        token = await self._token()
        answer = await self._send(method, path, body, timeout_s, f"Bearer {token}")
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        self._tokens.drop(self._oauth, token)
        return await self._send(method, path, body, timeout_s, f"Bearer {await self._token()}")

    def check(self, answer: Answer) -> None:
        """Raise what an answer's status means, unless it is a success."""
        status = answer.status
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return
        if status in _AWAY:
            raise SourceUnavailable(
                f"{self.origin} answered {status}",
                retry_after_s(answer.headers, self._clock.now_ms()),
            )
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise SourceRefused(
                f"{self.origin} answered {status}: check APP_INTEGRATIONS_SOURCE_USERNAME and "
                "_PASSWORD or _OAUTH_…, and that they may take and complete jobs"
            )
        raise SourceRefused(f"{self.origin} answered {status}; check the URL of the source")

    async def _token(self) -> str:
        if self._oauth is None:
            raise TypeError("only OAuth has tokens")
        try:
            return await self._tokens.token(self._oauth)
        except TokenUnavailableError as error:
            raise SourceUnavailable(str(error), error.retry_after_s) from error
        except TokenError as error:
            raise SourceRefused(str(error)) from error

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        timeout_s: float,
        authorization: str | None,
    ) -> Answer:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if authorization is not None:
            headers["Authorization"] = authorization
        try:
            return await exchange(
                self._session,
                method,
                self._base / path,
                limit_bytes=_ANSWER_BYTES,
                headers=headers,
                body=None if body is None else orjson.dumps(body),
                timeout_s=timeout_s,
            )
        except (HttpRequestError, HttpTlsError) as error:
            raise SourceRefused(str(error)) from error
        except HttpError as error:
            raise SourceUnavailable(str(error)) from error


def _basic(credentials: Credentials) -> str | None:
    if credentials.username is None:
        return None
    password = credentials.password.get_secret_value() if credentials.password else ""
    pair = f"{credentials.username}:{password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"
