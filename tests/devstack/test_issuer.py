"""The token endpoint, over a socket."""

from __future__ import annotations

import base64

import aiohttp
import orjson
import pytest

from devstack.issuer import REVOKE_PATH, TOKEN_PATH, Issuer, TokenRequest
from devstack.server import HttpServer

CREDENTIALS = {"client_id": "operate", "client_secret": "secret"}
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def issuer(clock):
    return Issuer(clock, token_life_s=60)


@pytest.fixture
async def url(issuer, clock):
    server = HttpServer("issuer", issuer.routes(), clock)
    yield f"http://127.0.0.1:{await server.start('127.0.0.1', 0)}"
    await server.stop()


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


async def fetch(session, url, **request):
    async with session.post(f"{url}{TOKEN_PATH}", **request) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    "request_",
    [
        {"data": GRANT | CREDENTIALS},
        {"data": GRANT, "headers": {"Authorization": "Basic b3BlcmF0ZTpzZWNyZXQ="}},
        {"json": GRANT | CREDENTIALS},
    ],
    ids=["form", "basic", "json"],
)
async def test_client_credentials_are_taken_in_three_forms(session, url, issuer, request_):
    """Form, Basic header and JSON give a token that the issuer knows, with Keycloak's fields."""
    status, body = await fetch(session, url, **request_)
    assert status == 200
    assert issuer.check(body.pop("access_token")) == TokenRequest("operate", None, None)
    assert body == {
        "expires_in": 60,
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "scope": "profile email",
    }


async def test_audience_and_scope_are_noted(session, url, issuer):
    """What a client asks for can be looked at, and stands in the token."""
    asked = {"audience": "operate-api", "scope": "x/.default"}
    _, body = await fetch(session, url, data=GRANT | CREDENTIALS | asked)
    assert list(issuer.requests) == [TokenRequest("operate", "operate-api", "x/.default")]
    payload = body["access_token"].split(".")[1]
    claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert (claims["aud"], claims["scope"]) == ("operate-api", "x/.default")
    assert claims["exp"] - claims["iat"] == 60


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (CREDENTIALS, (400, "invalid_request")),
        (CREDENTIALS | {"grant_type": "password"}, (400, "unsupported_grant_type")),
        (GRANT, (401, "invalid_client")),
        (GRANT | CREDENTIALS | {"client_secret": "wrong"}, (401, "invalid_client")),
        (GRANT | CREDENTIALS | {"client_id": "other"}, (401, "invalid_client")),
    ],
)
async def test_a_wrong_request_gets_keycloaks_error(session, url, issuer, data, refusal):
    """Two fields, with the OAuth error code that Keycloak gives."""
    status, body = await fetch(session, url, data=data)
    assert list(body) == ["error", "error_description"]
    assert (status, body["error"]) == refusal
    assert not issuer.requests


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff"])
async def test_a_body_that_cannot_be_read_has_no_parameters(session, url, body):
    """Broken JSON counts as a request without a grant type."""
    headers = {"Content-Type": "application/json"}
    status, answer = await fetch(session, url, data=body, headers=headers)
    assert (status, answer["error"]) == (400, "invalid_request")


async def test_a_broken_basic_header_is_no_client(session, url):
    """A header that is not base64 is refused like wrong credentials."""
    status, body = await fetch(session, url, data=GRANT, headers={"Authorization": "Basic %%"})
    assert (status, body["error"]) == (401, "invalid_client")


async def test_a_token_lives_as_long_as_it_says(issuer, clock):
    """It is good until its life is over, by the clock."""
    token = issuer.issue(TokenRequest("operate", None, None))
    await clock.advance(59.9)
    assert issuer.check(token) is not None
    await clock.advance(0.1)
    assert issuer.check(token) is None


async def test_a_token_can_be_revoked_by_its_client(session, url, issuer):
    """Revocation as in RFC 7009, with the client's credentials."""
    token = issuer.issue(TokenRequest("operate", None, None))
    for data, status in [
        ({"token": token}, 401),
        (CREDENTIALS, 400),
        (CREDENTIALS | {"token": token}, 200),
    ]:
        async with session.post(f"{url}{REVOKE_PATH}", data=data) as response:
            assert response.status == status
    assert issuer.check(token) is None


def test_all_tokens_can_be_revoked(issuer):
    """On request every token ends at once, and a new one is good again."""
    old = issuer.issue(TokenRequest("operate", None, None))
    issuer.revoke_all()
    new = issuer.issue(TokenRequest("operate", None, None))
    assert issuer.check(old) is None
    assert issuer.check(new) is not None
