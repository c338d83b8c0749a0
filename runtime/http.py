from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import aiohttp
import orjson
from aiohttp import ClientResponse, ClientSession, ClientTimeout, TCPConnector
from multidict import CIMultiDictProxy
from pydantic import AfterValidator
from yarl import URL

from runtime.errors import HttpRequestError, HttpTimeoutError, HttpTooLargeError
from runtime.http_errors import origin_of, translate, translating
from runtime.proxies import Proxies
from runtime.settings import Kind

# aiohttp rounds time-outs above this up to whole seconds; ours are to be as long as they say.
_NO_ROUNDING_S = 86_400.0


def _usable_ca_file(path: Path) -> Path:
    try:
        trust(path)
    except FileNotFoundError:
        raise ValueError("names a file that does not exist") from None
    except ssl.SSLError:
        raise ValueError("names a file that holds no certificates in PEM form") from None
    except OSError:
        raise ValueError("names a file that cannot be read") from None
    return path


CaFile = Annotated[
    Path,
    AfterValidator(_usable_ca_file),
    Kind("path", "", "the path of a PEM file of certificates"),
]
"""Path of a PEM bundle of certificate authorities, checked when the settings are read."""


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How a session behaves.

    Attributes:
        connections: Connections open at once, over all hosts; more requests wait.
        keepalive_s: How long an idle connection is kept. Shorter than the 20 s after which
            Camunda's server closes one, so that a request rarely meets a closing connection.
        total_s: Default for one exchange as a whole, from waiting for a connection to the last
            byte of the answer.
        connect_s: For a connection, waiting for a free one included.
        ca_file: Certificate authorities trusted beside the system's.
        proxies: Which proxy a URL is fetched through.
        user_agent: `User-Agent` of each request; None leaves aiohttp's.
    """

    connections: int = 100
    keepalive_s: float = 15.0
    total_s: float = 20.0
    connect_s: float = 10.0
    ca_file: Path | None = None
    proxies: Proxies = field(default_factory=Proxies)
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer.

    Attributes:
        status: HTTP status.
        reason: Reason phrase as sent, empty without one.
        headers: Names keep the server's spelling and order; look-ups ignore case.
        body: The bytes, decompressed.
    """

    status: int
    reason: str
    headers: CIMultiDictProxy[str]
    body: bytes


def trust(ca_file: Path) -> ssl.SSLContext:
    """A TLS context that trusts the system's authorities and those of a PEM file.

    Raises:
        OSError: The file is missing, unreadable or holds no certificate.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=ca_file)
    return context


def open_session(options: HttpOptions) -> ClientSession:
    """A session for all requests of a service; call within a running loop, leave by `async with`.

    It sends JSON with orjson, keeps no cookies (one job's login is not another's), reads no
    `.netrc`, and goes through the proxies of the options by itself. Use `exchange` with it: aiohttp
    follows redirects unless told not to with each request, and `exchange` tells it.

    Raises:
        OSError: The CA file is not usable; settings of type `CaFile` are checked before.
    """
    return ClientSession(
        connector=TCPConnector(
            limit=options.connections,
            keepalive_timeout=options.keepalive_s,
            ssl=trust(options.ca_file) if options.ca_file else True,
            timeout_ceil_threshold=_NO_ROUNDING_S,
        ),
        timeout=ClientTimeout(
            total=options.total_s, connect=options.connect_s, ceil_threshold=_NO_ROUNDING_S
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": options.user_agent} if options.user_agent else None,
        json_serialize=lambda value: orjson.dumps(value).decode(),
        json_serialize_bytes=orjson.dumps,
        middlewares=(options.proxies.route,) if options.proxies else (),
    )


async def exchange(
    session: ClientSession,
    method: str,
    url: str | URL,
    *,
    limit_bytes: int,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout_s: float | None = None,
    idle_s: float | None = None,
) -> Answer:
    """Send one request and read its answer whole; no redirect is followed, no status is an error.

    Args:
        session: From `open_session`.
        method: HTTP method.
        url: An absolute http(s) URL, sent as it stands when it is a `URL`.
        limit_bytes: Largest body accepted, counted after decompression.
        headers: Sent beside those of the session.
        body: The bytes to send; set `Content-Type` in the headers.
        timeout_s: For the whole exchange; None leaves the session's.
        idle_s: How long the server may say nothing while it is to answer; None leaves it open.

    Raises:
        HttpError: No usable answer; the type says why.
    """
    target = _http_url(url)
    try:
        async with session.request(
            method,
            target,
            headers=headers,
            data=body,
            timeout=_timeout(session, timeout_s, idle_s, target),
            allow_redirects=False,
        ) as response:
            content = await _read(response, limit_bytes)
    except (aiohttp.ClientError, OSError) as error:
        raise translate(error, target) from error
    except ValueError as error:
        # aiohttp refuses line ends in header values with a ValueError.
        raise HttpRequestError(
            f"the request to {origin_of(target)} holds a header that HTTP does not allow"
        ) from error
    return Answer(response.status, response.reason or "", response.headers, content)


async def read_limited(response: ClientResponse, limit_bytes: int) -> bytes:
    """The body of a response, if it is no larger than `limit_bytes` after decompression.

    Raises:
        HttpTooLargeError: It is larger; the connection is closed, the rest is not read.
        HttpTruncatedError: The connection ended before the body did.
        HttpError: Whatever else goes wrong while reading.
    """
    with translating(response.url):
        return await _read(response, limit_bytes)


async def _read(response: ClientResponse, limit_bytes: int) -> bytes:
    if (response.content_length or 0) > limit_bytes:
        raise _too_large(response, limit_bytes)
    chunks = []
    left_bytes = limit_bytes
    while chunk := await response.content.readany():
        left_bytes -= len(chunk)
        if left_bytes < 0:
            raise _too_large(response, limit_bytes)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(response: ClientResponse, limit_bytes: int) -> HttpTooLargeError:
    response.close()
    return HttpTooLargeError(
        f"{origin_of(response.url)} sent an answer of more than {limit_bytes} bytes; "
        "ask for less at once, or raise the limit",
        limit_bytes,
    )


def _http_url(url: str | URL) -> URL:
    try:
        target = URL(url)
    except ValueError:
        raise HttpRequestError("the URL is no usable URL") from None
    if target.scheme not in {"http", "https"} or not target.host:
        raise HttpRequestError("the URL is no http(s) URL; write http:// or https:// and a host")
    return target


def _timeout(
    session: ClientSession, timeout_s: float | None, idle_s: float | None, target: URL
) -> ClientTimeout:
    if timeout_s is None and idle_s is None:
        return session.timeout
    if timeout_s is not None and timeout_s <= 0:  # aiohttp takes 0 for no limit at all
        raise HttpTimeoutError(f"no time was left to ask {origin_of(target)}")
    return ClientTimeout(
        total=session.timeout.total if timeout_s is None else timeout_s,
        connect=session.timeout.connect,
        sock_read=idle_s,
        ceil_threshold=_NO_ROUNDING_S,
    )
