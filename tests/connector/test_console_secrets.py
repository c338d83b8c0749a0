"""Camunda's Console as a store of secrets, against a scripted one."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from pydantic import SecretStr

from connector.console_secrets import REFRESH_S, ConsoleSecrets
from connector.errors import SecretsUnavailable
from connector.providers import secret_sources
from connector.secrets import resolve
from connector.settings import ConnectorSettings
from runtime.errors import SettingsError
from runtime.http import HttpOptions, open_session
from runtime.oauth import ClientCredentials, TokenCache
from runtime.settings import load
from tests.kit.http import serving
from tests.kit.jobs import job


class Console:
    """Gives its secrets to whoever shows the token of the day."""

    def __init__(self):
        self.secrets = {"KEY": "v1"}
        self.status = 200
        self.good_token = "token-1"
        self.asked = self.tokens = 0
        self.audiences = []

    async def __call__(self, request):
        if request.path == "/token":
            self.tokens += 1
            self.audiences.append((await request.post())["audience"])
            return web.json_response({"access_token": f"token-{self.tokens}", "expires_in": 300})
        self.asked += 1
        await asyncio.sleep(0)
        if request.headers["Authorization"] != f"Bearer {self.good_token}":
            return web.Response(status=401)
        return web.json_response(self.secrets, status=self.status)


@pytest.fixture
async def console():
    console = Console()
    async with serving(console) as console.origin:
        yield console


@pytest.fixture
async def store(console, clock):
    credentials = ClientCredentials(
        f"{console.origin}/token", "client", SecretStr("secret"), audience="secrets.camunda.io"
    )
    async with (
        open_session(HttpOptions()) as session,
        TokenCache(session, clock, lambda: 0.0) as tokens,
    ):
        yield ConsoleSecrets(
            session,
            tokens,
            clock,
            endpoint=f"{console.origin}/secrets",
            credentials=credentials,
        )


async def value(store, name="KEY"):
    found = (await store.fetch([name], job())).get(name)
    return found and found.get_secret_value()


async def test_a_secret_of_console_is_filled_in(console, store):
    """A reference is looked up in Console, with a token for its audience."""
    resolved = await resolve({"a": "x {{secrets.KEY}}"}, [store], job())
    assert resolved.variables == {"a": "x v1"}
    assert console.audiences == ["secrets.camunda.io"]


async def test_what_console_says_is_used_for_a_while(console, store, clock):
    """All jobs share one answer for 20 s; then it is asked again."""
    assert [await value(store) for _ in range(3)] == ["v1"] * 3
    console.secrets = {"KEY": "v2"}
    await clock.advance(REFRESH_S - 1)
    assert await value(store) == "v1"
    await clock.advance(1)
    assert await value(store) == "v2"
    assert console.asked == 2


async def test_many_jobs_ask_console_once(console, store):
    """However many jobs need a secret at once, one request is under way."""
    assert await asyncio.gather(*[value(store) for _ in range(50)]) == ["v1"] * 50
    assert console.asked == 1


async def test_console_may_be_away_for_a_while(console, store, clock):
    """What it said last goes on being used, and it is not asked with every job."""
    await value(store)
    console.status = 503
    await clock.advance(REFRESH_S)
    assert [await value(store), await value(store)] == ["v1", "v1"]
    assert console.asked == 2


async def test_a_console_that_never_answered_fails_the_job(console, store):
    """One retry is used, and the message names what to check."""
    console.status = 503
    with pytest.raises(
        SecretsUnavailable, match=r"status 503.*Check that it is reachable"
    ) as caught:
        await value(store)
    assert caught.value.uses_retry


async def test_a_token_that_was_revoked_is_replaced(console, store, clock):
    """A 401 drops the token and is followed by one try with another."""
    await value(store)
    console.good_token = "token-2"
    await clock.advance(REFRESH_S)
    console.secrets = {"KEY": "v2"}
    assert await value(store) == "v2"


@pytest.mark.parametrize("body", [[], "text", {"KEY": 7}])
async def test_an_answer_of_another_shape_gives_no_secret(console, store, body):
    """Only texts by name are secrets."""
    console.secrets = body
    if isinstance(body, dict):
        assert await value(store) is None
        return
    with pytest.raises(SecretsUnavailable, match="no JSON object"):
        await value(store)


async def test_what_is_at_hand_is_asked_first(console, store, tmp_path, clock):
    """Files and environment go before Console, which is not asked for what they have."""
    (tmp_path / "FILED").write_text("from a file")
    settings = load(
        ConnectorSettings,
        {
            "CONNECTOR_SECRETS_DIR": str(tmp_path),
            "CAMUNDA_CONNECTOR_SECRETPROVIDER_CONSOLE_ENABLED": "true",
            "CAMUNDA_CONNECTOR_SECRETPROVIDER_CONSOLE_ENDPOINT": f"{console.origin}/secrets",
            "CAMUNDA_CLIENT_AUTH_CLIENT_ID": "client",
            "CAMUNDA_CLIENT_AUTH_CLIENT_SECRET": "secret",
            "CAMUNDA_CLIENT_AUTH_TOKEN_URL": f"{console.origin}/token",
        },
    )
    async with (
        open_session(HttpOptions()) as session,
        TokenCache(session, clock, lambda: 0.0) as tokens,
    ):
        sources = secret_sources(settings, {"SECRET_SET": "from outside"}, session, tokens, clock)
        given = {"a": "{{secrets.FILED}}", "b": "{{secrets.SET}}"}
        resolved = await resolve(given, sources, job())
        assert resolved.variables == {"a": "from a file", "b": "from outside"}
        assert console.asked == 0
        resolved = await resolve({"c": "{{secrets.KEY}}"}, sources, job())
        assert resolved.variables == {"c": "v1"}


async def test_the_environment_can_be_left_out(clock):
    """Upstream's switch turns the environment off as a source."""
    environ = {"CAMUNDA_CONNECTOR_SECRETPROVIDER_ENVIRONMENT_ENABLED": "false"}
    async with (
        open_session(HttpOptions()) as session,
        TokenCache(session, clock, lambda: 0.0) as tokens,
    ):
        settings = load(ConnectorSettings, environ)
        assert secret_sources(settings, {}, session, tokens, clock) == []


def test_console_needs_a_client():
    """Without credentials the start is refused, with the variables to set."""
    with pytest.raises(SettingsError, match="CAMUNDA_CLIENT_AUTH_CLIENT_ID"):
        load(ConnectorSettings, {"CAMUNDA_CONNECTOR_SECRETPROVIDER_CONSOLE_ENABLED": "true"})
