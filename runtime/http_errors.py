from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp import client_exceptions, http_exceptions
from yarl import URL

from runtime.errors import (
    HttpConnectError,
    HttpDisconnectedError,
    HttpError,
    HttpNameError,
    HttpProtocolError,
    HttpProxyError,
    HttpRefusedError,
    HttpRequestError,
    HttpTimeoutError,
    HttpTlsError,
    HttpTruncatedError,
)

TRANSLATIONS: dict[type[BaseException], tuple[type[HttpError], str]] = {
    TimeoutError: (HttpTimeoutError, "gave no whole answer in the time allowed"),
    aiohttp.ServerTimeoutError: (HttpTimeoutError, "gave no answer in the time allowed"),
    aiohttp.SocketTimeoutError: (HttpTimeoutError, "stopped sending for too long"),
    aiohttp.ConnectionTimeoutError: (HttpTimeoutError, "took too long to accept a connection"),
    aiohttp.ClientConnectorError: (HttpConnectError, "cannot be reached; check host and port"),
    client_exceptions.UnixClientConnectorError: (HttpConnectError, "cannot be reached"),
    aiohttp.ClientConnectionError: (HttpConnectError, "cannot be reached"),
    aiohttp.ClientConnectorDNSError: (HttpNameError, "has a host name that is not known"),
    socket.gaierror: (HttpNameError, "has a host name that is not known"),
    ConnectionRefusedError: (HttpRefusedError, "refused the connection; check host and port"),
    aiohttp.ClientProxyConnectionError: (HttpProxyError, "cannot be reached: the proxy is away"),
    aiohttp.ClientHttpProxyError: (HttpProxyError, "cannot be reached: the proxy refused"),
    aiohttp.ClientSSLError: (HttpTlsError, "speaks no TLS that we accept"),
    aiohttp.ClientConnectorSSLError: (HttpTlsError, "speaks no TLS that we accept"),
    aiohttp.ClientConnectorCertificateError: (
        HttpTlsError,
        "has a certificate that is not trusted; add its authority to the CA file",
    ),
    aiohttp.ServerFingerprintMismatch: (HttpTlsError, "has another certificate than expected"),
    ssl.SSLCertVerificationError: (
        HttpTlsError,
        "has a certificate that is not trusted; add its authority to the CA file",
    ),
    ssl.SSLError: (HttpTlsError, "speaks no TLS that we accept"),
    aiohttp.ClientOSError: (HttpDisconnectedError, "broke the connection"),
    aiohttp.ClientConnectionResetError: (HttpDisconnectedError, "broke the connection"),
    aiohttp.ServerConnectionError: (HttpDisconnectedError, "broke the connection"),
    aiohttp.ServerDisconnectedError: (HttpDisconnectedError, "hung up before it answered"),
    client_exceptions.UploadAbortedError: (
        HttpDisconnectedError,
        "hung up before it had the whole request",
    ),
    OSError: (HttpDisconnectedError, "broke the connection"),
    aiohttp.ClientPayloadError: (HttpTruncatedError, "hung up within its answer"),
    http_exceptions.ContentEncodingError: (HttpProtocolError, "sent a body that does not unpack"),
    aiohttp.InvalidURL: (HttpRequestError, "is no usable URL"),
    aiohttp.InvalidUrlClientError: (HttpRequestError, "is no usable URL"),
    aiohttp.NonHttpUrlClientError: (HttpRequestError, "is no http(s) URL"),
    aiohttp.ClientError: (HttpProtocolError, "does not speak HTTP as we know it"),
    aiohttp.ClientResponseError: (HttpProtocolError, "does not speak HTTP as we know it"),
    aiohttp.ContentTypeError: (HttpProtocolError, "sent another kind of content than asked for"),
    aiohttp.RedirectClientError: (HttpProtocolError, "redirects to a URL that cannot be used"),
    aiohttp.InvalidUrlRedirectClientError: (
        HttpProtocolError,
        "redirects to a URL that cannot be used",
    ),
    aiohttp.NonHttpUrlRedirectClientError: (
        HttpProtocolError,
        "redirects to a URL that cannot be used",
    ),
    aiohttp.TooManyRedirects: (HttpProtocolError, "redirects in circles"),
    aiohttp.WSServerHandshakeError: (HttpProtocolError, "does not speak HTTP as we know it"),
}
"""Each error of the client and of the operating system, with ours and the end of its message."""


def origin_of(url: str | URL) -> str:
    """Scheme, host and port of a URL, which may be shown; `the URL` when it has none."""
    try:
        return str(URL(url).origin())
    except (ValueError, TypeError):
        return "the URL"


def translate(error: Exception, url: str | URL) -> HttpError:
    """Our error for one of aiohttp's or the operating system's.

    Args:
        error: An `aiohttp.ClientError` or `OSError` (time-outs are of the latter).
        url: What was asked; only its origin is shown.
    """
    kind, phrase = next(
        TRANSLATIONS[base] for base in type(_telling(error)).__mro__ if base in TRANSLATIONS
    )
    return kind(f"{origin_of(url)} {phrase}")


def _telling(error: Exception) -> Exception:
    """The error that says most: aiohttp wraps some in one of its own that says less."""
    wrapped = getattr(error, "os_error", None)
    if type(error) is aiohttp.ClientConnectorError and isinstance(
        wrapped, ConnectionRefusedError | ssl.SSLError | socket.gaierror
    ):
        return wrapped
    if isinstance(error.__cause__, http_exceptions.ContentEncodingError):
        return error.__cause__
    return error


@contextmanager
def translating(url: str | URL) -> Iterator[None]:
    """Turn client and operating system errors of the block into ours.

    Raises:
        HttpError: In place of the error that the block raised, which becomes its cause.
    """
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        raise translate(error, url) from error
