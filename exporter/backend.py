from __future__ import annotations

import asyncio
import io
import zlib
from dataclasses import dataclass

from aiohttp import ClientResponse, ClientSession, ClientTimeout
from multidict import CIMultiDictProxy
from pydantic import SecretStr
from yarl import URL

from runtime.errors import TokenUnavailableError
from runtime.http_errors import translating
from runtime.oauth import AccessToken, ClientCredentials, TokenCache

_KEPT_BYTES = 65_536
_NO_ROUNDING_S = 86_400.0
_LEAST_S = 0.001
_IN_THREAD_BYTES = 65_536
_STREAMED_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """Where events go and as whom.

    Attributes:
        url: The whole endpoint; nothing is added.
        api_key: Sent as `x-api-key`.
        oauth: Credentials for an access token instead.
        context: `X-…` headers that say whose events these are.
        gzip_min_bytes: Bodies from this size on are compressed; None compresses none.
    """

    url: URL
    api_key: SecretStr | None = None
    oauth: ClientCredentials | None = None
    context: tuple[tuple[str, str], ...] = ()
    gzip_min_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: the same on every try.

    Attributes:
        idempotency_key: Tells a backend that it has seen it before.
        body: JSON.
        count: Events in it.
    """

    idempotency_key: str
    body: bytes
    count: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the backend said.

    Attributes:
        status: HTTP status.
        headers: Of the answer.
        body: Its beginning.
        token: The access token that was sent; None without one.
    """

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    token: SecretStr | None


class Backend:
    """The App Integrations backend over HTTP.

    Args:
        target: Where and as whom.
        session: Of `runtime.http.open_session`.
        tokens: For access tokens.
    """

    def __init__(self, target: Target, session: ClientSession, tokens: TokenCache) -> None:
        self._target = target
        self._session = session
        self._tokens = tokens

    @property
    def uses_tokens(self) -> bool:
        """Whether requests carry an access token."""
        return self._target.oauth is not None

    async def post(self, request: Request, timeout_s: float) -> Answer:
        """Send once; no redirect is followed and no status is an error.

        Args:
            request: What to send.
            timeout_s: For the whole exchange, in real time: a call that hangs is cut.

        Raises:
            HttpError: No usable answer.
            TokenError: No access token, so nothing was sent.
        """
        until_s = asyncio.get_running_loop().time() + timeout_s
        token = await self._token(until_s)
        headers = self._headers(request, token)
        body = request.body
        limit = self._target.gzip_min_bytes
        if limit is not None and len(body) >= limit:
            body = await _compressed(body)
            headers["Content-Encoding"] = "gzip"
        # A total of 0 would mean none; after a token that came at the last moment some is left.
        left_s = max(until_s - asyncio.get_running_loop().time(), _LEAST_S)
        with translating(self._target.url):
            async with self._session.post(
                self._target.url,
                # aiohttp sends large bytes in one go and warns; from a file it sends piece by piece
                data=io.BytesIO(body) if len(body) > _STREAMED_BYTES else body,
                headers=headers,
                allow_redirects=False,
                timeout=ClientTimeout(total=left_s, connect=left_s, ceil_threshold=_NO_ROUNDING_S),
            ) as response:
                kept = await _beginning(response)
        return Answer(response.status, response.headers, kept, token.text if token else None)

    def drop(self, token: SecretStr) -> None:
        """Forget an access token that was answered with 401."""
        if self._target.oauth is not None:
            self._tokens.drop(self._target.oauth, token.get_secret_value())

    async def _token(self, until_s: float) -> AccessToken | None:
        if self._target.oauth is None:
            return None
        try:
            async with asyncio.timeout_at(until_s):
                return await self._tokens.access_token(self._target.oauth)
        except TimeoutError as error:
            raise TokenUnavailableError("no token: the token endpoint takes too long") from error

    def _headers(self, request: Request, token: AccessToken | None) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": request.idempotency_key,
            **dict(self._target.context),
        }
        if token is not None:
            headers["Authorization"] = f"{token.token_type} {token.text.get_secret_value()}"
        elif self._target.api_key is not None:
            headers["x-api-key"] = self._target.api_key.get_secret_value()
        return headers


async def _beginning(response: ClientResponse) -> bytes:
    """The beginning of a body; all of it is read when it is short, so that the connection lives."""
    kept = bytearray()
    while chunk := await response.content.readany():
        kept += chunk
        if len(kept) > _KEPT_BYTES:
            response.close()
            break
    return bytes(kept[:_KEPT_BYTES])


async def _compressed(body: bytes) -> bytes:
    if len(body) < _IN_THREAD_BYTES:
        return _gzip(body)
    return await asyncio.to_thread(_gzip, body)


def _gzip(body: bytes) -> bytes:
    # wbits 31 is the gzip format; unlike `gzip.compress` it writes no time, so bytes are the same.
    packer = zlib.compressobj(level=1, wbits=31)
    return packer.compress(body) + packer.flush()
