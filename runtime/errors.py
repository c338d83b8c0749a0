"""What can go wrong in the ground that the services stand on.

    ServiceError
    ├── SettingsError                 settings that cannot be used: every fault at once, exit code 2
    ├── ListenError                   a port that cannot be had
    ├── HttpError                     a request that got no usable answer
    │   ├── HttpRequestError          the URL or a header cannot be sent              not retryable
    │   ├── HttpTimeoutError          no whole answer in the time allowed             retryable
    │   ├── HttpConnectError          no connection                                   retryable
    │   │   ├── HttpRefusedError      nobody listens at the address                   retryable
    │   │   ├── HttpNameError         the host name is not known                      retryable
    │   │   ├── HttpProxyError        the proxy refused or is away                    retryable
    │   │   └── HttpTlsError          no trust, or no TLS at all                      not retryable
    │   ├── HttpDisconnectedError     the connection ended before the answer          retryable
    │   ├── HttpTruncatedError        the connection ended within the answer          retryable
    │   ├── HttpTooLargeError         the answer is larger than the limit             not retryable
    │   └── HttpProtocolError         what came back is not HTTP as we speak it       not retryable
    └── TokenError                    no access token
        ├── TokenRefusedError         the token endpoint said no (3xx, 4xx)           not retryable
        ├── TokenUnavailableError     the token endpoint is away (I/O, 429, 5xx)      retryable
        └── TokenMalformedError       the token endpoint's answer holds no token      not retryable

`retryable` says whether the same thing may go well a moment later with nothing changed. Messages
name the origin of a URL only, never its path, query or credentials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class ServiceError(Exception):
    """The root: catch it to catch all of the tree."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the settings.

    Attributes:
        variable: Name of the environment variable, as the user set it or should set it.
        problem: What is wrong with it, without its value.
        remedy: What to change.
    """

    variable: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.problem}; {self.remedy}"


class SettingsError(ServiceError):
    """Settings that cannot be used; `faults` has every one of them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


class ListenError(ServiceError):
    """A port that cannot be had: taken by another, or not ours to take."""


class HttpError(ServiceError):
    """A request that got no usable answer."""

    retryable: ClassVar[bool] = True


class HttpRequestError(HttpError):
    """The URL is no http(s) URL or a header is not allowed, so nothing was sent."""

    retryable: ClassVar[bool] = False


class HttpTimeoutError(HttpError):
    """No whole answer in the time allowed."""


class HttpConnectError(HttpError):
    """No connection to the server."""


class HttpRefusedError(HttpConnectError):
    """Nobody listens at the address."""


class HttpNameError(HttpConnectError):
    """The host name is not known."""


class HttpProxyError(HttpConnectError):
    """The proxy refused to connect us, or is away itself."""


class HttpTlsError(HttpConnectError):
    """The server's certificate is not trusted, or it does not speak TLS."""

    retryable: ClassVar[bool] = False


class HttpDisconnectedError(HttpError):
    """The connection ended before an answer began; the request may have been carried out."""


class HttpTruncatedError(HttpError):
    """The connection ended within the answer."""


class HttpTooLargeError(HttpError):
    """The answer is larger than `limit_bytes`, counted after decompression."""

    retryable: ClassVar[bool] = False

    def __init__(self, message: str, limit_bytes: int) -> None:
        super().__init__(message)
        self.limit_bytes = limit_bytes


class HttpProtocolError(HttpError):
    """What came back is not HTTP as we speak it."""

    retryable: ClassVar[bool] = False


class TokenError(ServiceError):
    """No access token, so no request was made with one."""

    retryable: ClassVar[bool] = False


class TokenRefusedError(TokenError):
    """The token endpoint said no.

    Attributes:
        status: Its HTTP status, 300 to 499 but 429.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class TokenUnavailableError(TokenError):
    """The token endpoint is away; the same request may go well a moment later.

    Attributes:
        status: Its HTTP status (429 or 5xx), None when no answer came.
        retry_after_s: Seconds that its `Retry-After` asks for, None without one.
    """

    retryable: ClassVar[bool] = True

    def __init__(
        self, message: str, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class TokenMalformedError(TokenError):
    """The token endpoint answered 2xx with something that holds no usable token."""
