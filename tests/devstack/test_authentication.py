"""Who gets in, by version and by way of logging in, over a socket."""

from __future__ import annotations

from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from devstack.authentication import Authentication
from devstack.issuer import Issuer, TokenRequest
from devstack.problems import json_response
from devstack.server import HttpServer
from devstack.version import Version

DEMO = {"username": "demo", "password": "demo"}


async def hello(_request):
    return json_response({})


@asynccontextmanager
async def guarded(clock, version="8.8", **options):
    issuer = Issuer(clock, token_life_s=60)
    guard = Authentication(issuer, Version.parse(version), clock, **options)
    routes = [
        web.get("/v1/things", hello),
        web.post("/v1/things", hello),
        web.post("/v2/things", hello),
        web.get("/open", hello),
        *guard.routes(),
    ]
    server = HttpServer("guarded", routes, clock, middlewares=[guard.middleware])
    port = await server.start("127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            yield session, issuer, guard
    finally:
        await server.stop()


async def status_of(session, method="POST", path="/v1/things", **request):
    async with session.request(method, path, **request) as response:
        return response.status


@pytest.mark.parametrize("version", ["8.3", "8.7", "8.8"])
async def test_nobody_gets_in_without_credentials(clock, version):
    """401 with a challenge; what is no API is open."""
    async with guarded(clock, version) as (session, _, _):
        async with session.get("/v1/things") as response:
            body = await response.json()
            assert (response.status, body["path"]) == (401, "/v1/things")
            assert "WWW-Authenticate" in response.headers
        assert await status_of(session, "GET", "/open") == 200


async def test_the_api_v2_refuses_in_its_own_dialect(clock):
    """Under /v2 the body of a 401 is a problem as in RFC 9457."""
    async with guarded(clock) as (session, _, _), session.post("/v2/things") as response:
        body = await response.json(content_type="application/problem+json")
    assert (response.status, body["instance"], body["type"]) == (401, "/v2/things", "about:blank")


async def test_a_bearer_token_is_good_until_it_is_over(clock):
    """A token gets in, without CSRF token; unknown, over and revoked ones do not."""
    async with guarded(clock) as (session, issuer, _):
        token = issuer.issue(TokenRequest("operate", None, None))
        headers = {"Authorization": f"Bearer {token}"}
        assert await status_of(session, headers=headers) == 200
        assert await status_of(session, headers={"Authorization": "Bearer x"}) == 401
        await clock.advance(60)
        assert await status_of(session, headers=headers) == 401


@pytest.mark.parametrize(("version", "status"), [("8.7", 401), ("8.8", 200), ("8.10", 200)])
async def test_basic_credentials_are_taken_from_8_8_on(clock, version, status):
    """Before 8.8 Operate's API has no basic authentication."""
    async with guarded(clock, version) as (session, _, _):
        assert await status_of(session, headers={"Authorization": "Basic ZGVtbzpkZW1v"}) == status


@pytest.mark.parametrize("header", ["Basic ZGVtbzp3cm9uZw==", "Basic %%", "Basic", "Digest a"])
async def test_wrong_basic_credentials_do_not_get_in(clock, header):
    """A wrong password, no base64, another scheme."""
    async with guarded(clock) as (session, _, _):
        assert await status_of(session, headers={"Authorization": header}) == 401


@pytest.mark.parametrize(
    ("version", "path", "cookie", "header"),
    [
        ("8.5", "/api/login", "OPERATE-SESSION", "OPERATE-X-CSRF-TOKEN"),
        ("8.7", "/api/login", "OPERATE-SESSION", "OPERATE-X-CSRF-TOKEN"),
        ("8.8", "/api/login", "camunda-session", "X-CSRF-TOKEN"),
        ("8.8", "/login", "camunda-session", "X-CSRF-TOKEN"),
    ],
)
async def test_a_session_needs_the_csrf_token_for_what_is_unsafe(
    clock,
    version,
    path,
    cookie,
    header,
):
    """The cookie alone reads; a POST repeats the token that the log-in gave, else 403."""
    async with guarded(clock, version) as (session, _, _):
        async with session.post(path, params=DEMO) as response:
            token = response.headers[header]
            assert response.status == 204
            assert response.cookies[cookie]["httponly"]
            assert response.cookies[header].value == token
        cookies = {cookie: response.cookies[cookie].value}
        session.cookie_jar.clear()
        assert await status_of(session, "GET", cookies=cookies) == 200
        assert await status_of(session, cookies=cookies) == 403
        assert await status_of(session, cookies=cookies, headers={header: "wrong"}) == 403
        assert await status_of(session, cookies=cookies, headers={header: token}) == 200


@pytest.mark.parametrize(
    ("version", "host", "status"),
    [("8.7", None, 200), ("8.7", "elsewhere:80", 403), ("8.8", None, 403)],
)
async def test_operates_own_swagger_page_needs_no_csrf_token(clock, version, host, status):
    """Up to 8.7 a request that this server's Swagger page makes is let through."""
    async with guarded(clock, version) as (session, _, _):
        async with session.post("/api/login", params=DEMO) as response:
            host = host or response.url.authority
        headers = {"Referer": f"http://{host}/swagger-ui/index.html"}
        cookies = {name: cookie.value for name, cookie in response.cookies.items()}
        assert await status_of(session, headers=headers, cookies=cookies) == status


async def test_a_log_in_may_stand_in_a_form(clock):
    """User name and password are parameters of the query or of a form."""
    async with guarded(clock) as (session, _, _):
        assert await status_of(session, path="/login", data=DEMO) == 204


@pytest.mark.parametrize(
    "given",
    [{}, DEMO | {"password": "wrong"}, DEMO | {"username": "de:mo"}, {"username": "demo"}],
)
async def test_a_wrong_log_in_begins_no_session(clock, given):
    """401 and no cookie."""
    async with guarded(clock) as (session, _, _), session.post("/login", params=given) as response:
        assert (response.status, list(response.cookies)) == (401, [])


@pytest.mark.parametrize("by_user", [True, False], ids=["log-out", "restart"])
async def test_a_session_ends(clock, by_user):
    """The cookie is good no longer, after a log-out as after the end of all sessions."""
    async with guarded(clock) as (session, _, guard):
        async with session.post("/login", params=DEMO) as response:
            cookies = {"camunda-session": response.cookies["camunda-session"].value}
        assert await status_of(session, "GET", cookies=cookies) == 200
        if by_user:
            assert await status_of(session, path="/logout", cookies=cookies) == 204
        else:
            guard.end_sessions()
        assert await status_of(session, "GET", cookies=cookies) == 401


async def test_an_unprotected_api_lets_everybody_in(clock):
    """As a real cluster with `unprotectedApi`."""
    async with guarded(clock, is_required=False) as (session, _, _):
        assert await status_of(session) == 200
