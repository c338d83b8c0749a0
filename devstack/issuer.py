"""The token endpoint of Camunda's Identity, which is a Keycloak realm.

Takes client credentials in a form, in a Basic header or (as Camunda's SaaS does) in JSON. The
tokens are signed JWTs like the real ones, so that clients which look inside find an expiry, but
with a key of this process: the cluster's servers ask the issuer itself whether a token is good.
Error bodies are Keycloak's (wording from its public sources).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

import orjson
from aiohttp import web
from pydantic import SecretStr

from devstack.basic_auth import decode_basic
from devstack.problems import json_response
from runtime.clock import Clock

REALM_PATH = "/auth/realms/camunda-platform"
TOKEN_PATH = f"{REALM_PATH}/protocol/openid-connect/token"
REVOKE_PATH = f"{REALM_PATH}/protocol/openid-connect/revoke"
_REMEMBERED_REQUESTS = 1000


@dataclass(frozen=True, slots=True)
class Client:
    """A confidential client of the realm."""

    client_id: str = "operate"
    client_secret: SecretStr = SecretStr("secret")  # noqa: RUF009 - SecretStr is immutable


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a client asked for, for tests to look at; never the secret."""

    client_id: str
    audience: str | None
    scope: str | None


@dataclass(frozen=True, slots=True)
class _Issued:
    request: TokenRequest
    expires_at_s: float


class Issuer:
    """Issues, checks and revokes access tokens; a token lives `token_life_s` on the clock.

    Args:
        clock: decides when a token is over.
        token_life_s: how long a token is good; takes effect with the next token.
        client: the one client that the realm knows.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        token_life_s: float = 300,
        client: Client | None = None,
    ) -> None:
        self._clock = clock
        self._client = client or Client()
        self._key = secrets.token_bytes(32)
        self._issued: dict[str, _Issued] = {}
        self._numbers = count(1)
        self.token_life_s = token_life_s
        self.requests: deque[TokenRequest] = deque(maxlen=_REMEMBERED_REQUESTS)

    def routes(self) -> list[web.RouteDef]:
        """The realm's endpoints: token, and revocation as in RFC 7009."""
        return [web.post(TOKEN_PATH, self._token), web.post(REVOKE_PATH, self._revoke)]

    def check(self, token: str) -> TokenRequest | None:
        """What the token was asked for, or None when it is unknown, over or revoked."""
        issued = self._issued.get(token)
        if issued is None or issued.expires_at_s <= self._clock.monotonic_s():
            return None
        return issued.request

    def revoke_all(self) -> None:
        """Every token issued so far is no longer good."""
        self._issued.clear()

    def issue(self, request: TokenRequest) -> str:
        """A token as if the client had asked for it over HTTP."""
        now_s = self._clock.monotonic_s()
        self._forget_expired(now_s)
        token = self._signed(request)
        self._issued[token] = _Issued(request, now_s + self.token_life_s)
        return token

    def _forget_expired(self, now_s: float) -> None:
        # From the oldest on, so that a client which asks for a token with every call stays cheap.
        while self._issued:
            oldest = next(iter(self._issued))
            if self._issued[oldest].expires_at_s > now_s:
                return
            del self._issued[oldest]

    def _signed(self, request: TokenRequest) -> str:
        now_s = self._clock.now_ms() // 1000
        claims = {
            "jti": str(next(self._numbers)),
            "iat": now_s,
            "exp": now_s + int(self.token_life_s),
            "aud": request.audience,
            "azp": request.client_id,
            "client_id": request.client_id,
            "scope": request.scope,
            "typ": "Bearer",
        }
        signed = f"{_base64url({'alg': 'HS256', 'typ': 'JWT'})}.{_base64url(claims)}"
        signature = hmac.digest(self._key, signed.encode(), hashlib.sha256)
        return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    async def _token(self, request: web.Request) -> web.Response:
        given = await _parameters(request)
        client_id, secret = _credentials(request, given)
        if not given.get("grant_type"):
            return _refusal(400, "invalid_request", "Missing form parameter: grant_type")
        if given["grant_type"] != "client_credentials":
            return _refusal(400, "unsupported_grant_type", "Unsupported grant_type")
        if not self._is_client(client_id, secret):
            return _refusal(401, "invalid_client", "Invalid client or Invalid client credentials")
        asked = TokenRequest(client_id, given.get("audience"), given.get("scope"))
        self.requests.append(asked)
        return json_response(
            {
                "access_token": self.issue(asked),
                "expires_in": int(self.token_life_s),
                "refresh_expires_in": 0,
                "token_type": "Bearer",
                "not-before-policy": 0,
                "scope": asked.scope or "profile email",
            },
        )

    async def _revoke(self, request: web.Request) -> web.Response:
        given = await _parameters(request)
        if not self._is_client(*_credentials(request, given)):
            return _refusal(401, "invalid_client", "Invalid client or Invalid client credentials")
        if not given.get("token"):
            return _refusal(400, "invalid_request", "Token not provided")
        self._issued.pop(given["token"], None)
        return web.Response()

    def _is_client(self, client_id: str, secret: str) -> bool:
        right = self._client.client_secret.get_secret_value()
        return client_id == self._client.client_id and hmac.compare_digest(
            secret.encode(),
            right.encode(),
        )


async def _parameters(request: web.Request) -> Mapping[str, str]:
    """The text parameters of a form or of a JSON object; none when the body is neither."""
    if request.content_type != "application/json":
        form = await request.post()
        return {name: value for name, value in form.items() if isinstance(value, str)}
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        return {}
    items = body.items() if isinstance(body, dict) else ()
    return {name: value for name, value in items if isinstance(value, str)}


def _credentials(request: web.Request, given: Mapping[str, str]) -> tuple[str, str]:
    header = request.headers.get("Authorization")
    if header is None:
        return given.get("client_id", ""), given.get("client_secret", "")
    return decode_basic(header) or ("", "")


def _refusal(status: int, error: str, description: str) -> web.Response:
    body = {"error": error, "error_description": description}
    return json_response(body, status=status)


def _base64url(part: Mapping[str, object]) -> str:
    present = {name: value for name, value in part.items() if value is not None}
    return base64.urlsafe_b64encode(orjson.dumps(present)).rstrip(b"=").decode()
