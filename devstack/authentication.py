"""Who may call the cluster's HTTP APIs, as Camunda's documentation has it by version.

- A bearer token of the issuer, on every version.
- A session: `POST /api/login` with user name and password gives a cookie, and a CSRF token that
  every request that changes something (in HTTP's sense, so every search too) repeats in a header.
  Up to 8.7 a request from the server's own Swagger page need not.
- Basic credentials, from 8.8 on.

From 8.8 on a session is begun at `/login`; `/api/login` goes on answering here, because what the
merged application does with it was not observed. The 401 bodies were not observed either.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import SecretStr

from devstack.basic_auth import decode_basic
from devstack.issuer import Issuer
from devstack.problems import server_error
from devstack.version import Version
from runtime.clock import Clock

_PROTECTED = ("/v1/", "/v2/")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class User:
    """A user of the cluster, for sessions and basic credentials."""

    username: str = "demo"
    password: SecretStr = SecretStr("demo")  # noqa: RUF009 - SecretStr is immutable


class Authentication:
    """Guards `/v1` and `/v2`, and logs users in.

    Args:
        issuer: knows which tokens are good.
        version: decides the ways to log in and the names of cookies and headers.
        clock: for the time stamp in error bodies.
        user: the one user.
        is_required: False lets everybody in, as `unprotectedApi` does on a real cluster.
    """

    def __init__(
        self,
        issuer: Issuer,
        version: Version,
        clock: Clock,
        *,
        user: User | None = None,
        is_required: bool = True,
    ) -> None:
        self._issuer = issuer
        self._clock = clock
        self._user = user or User()
        self._is_required = is_required
        self._takes_basic = version.is_one_application
        self._session_cookie = (
            "camunda-session" if version.is_one_application else "OPERATE-SESSION"
        )
        self._csrf = "X-CSRF-TOKEN" if version.is_one_application else "OPERATE-X-CSRF-TOKEN"
        self._login_paths = ["/api/login"] + ["/login"] * version.is_one_application
        self._csrf_tokens: dict[str, str] = {}  # by session

    def routes(self) -> list[web.RouteDef]:
        """Where a session begins and ends."""
        logins = [web.post(path, self._login) for path in self._login_paths]
        logouts = [
            web.post(path.replace("login", "logout"), self._logout) for path in self._login_paths
        ]
        return logins + logouts

    def end_sessions(self) -> None:
        """Log every user out, as a restart of the server does."""
        self._csrf_tokens.clear()

    @property
    def middleware(self) -> Middleware:
        """The guard, to stand before every handler."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            refusal = self._refusal(request)
            return await handler(request) if refusal is None else refusal

        return guard

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not self._is_required or not request.path.startswith(_PROTECTED):
            return None
        authorization = request.headers.get("Authorization", "")
        scheme, _, credentials = authorization.partition(" ")
        match scheme.lower():
            case "bearer":
                is_in = self._issuer.check(credentials.strip()) is not None
                return (
                    None if is_in else self._unauthorized(request, 'Bearer error="invalid_token"')
                )
            case "basic":
                is_in = self._takes_basic and self._is_user(
                    *(decode_basic(authorization) or ("", ""))
                )
                return None if is_in else self._unauthorized(request, "Basic")
            case _:
                return self._session_refusal(request)

    def _session_refusal(self, request: web.Request) -> web.Response | None:
        csrf_token = self._csrf_tokens.get(request.cookies.get(self._session_cookie, ""))
        if csrf_token is None:
            return self._unauthorized(request, "Bearer")
        given = request.headers.get(self._csrf, "")
        is_right = hmac.compare_digest(given.encode(), csrf_token.encode())
        if request.method in _SAFE_METHODS or is_right or self._is_from_swagger(request):
            return None
        return server_error(403, "Forbidden", request.path, self._clock)

    def _is_from_swagger(self, request: web.Request) -> bool:
        """Whether the request comes from the page on which people try Operate's API."""
        if self._takes_basic:
            return False  # only Operate's own log-in, before the merger, has this exception
        referer = urlsplit(request.headers.get("Referer", ""))
        return referer.netloc == request.host and referer.path.startswith("/swagger-ui")

    def _unauthorized(self, request: web.Request, challenge: str) -> web.Response:
        response = server_error(401, "Unauthorized", request.path, self._clock)
        response.headers["WWW-Authenticate"] = challenge
        return response

    def _is_user(self, username: str, password: str) -> bool:
        right = self._user.password.get_secret_value()
        return username == self._user.username and hmac.compare_digest(
            password.encode(),
            right.encode(),
        )

    async def _login(self, request: web.Request) -> web.Response:
        form = await request.post()
        # Servlet parameters stand in the query or in a form alike.
        username = request.query.get("username") or form.get("username")
        password = request.query.get("password") or form.get("password")
        if not self._is_user(str(username), str(password)):
            return self._unauthorized(request, "FormBased")
        session, csrf_token = secrets.token_hex(16), secrets.token_hex(16)
        self._csrf_tokens[session] = csrf_token
        response = web.Response(status=204, headers={self._csrf: csrf_token})
        response.set_cookie(self._session_cookie, session, httponly=True)
        response.set_cookie(self._csrf, csrf_token, httponly=True)
        return response

    async def _logout(self, request: web.Request) -> web.Response:
        self._csrf_tokens.pop(request.cookies.get(self._session_cookie, ""), None)
        response = web.Response(status=204)
        response.del_cookie(self._session_cookie)
        response.del_cookie(self._csrf)
        return response
