"""The store of secrets in the documentation, run as it stands there."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from aiohttp import web

from connector.errors import SecretsMissing, SecretsUnavailable
from connector.secrets import resolve
from runtime.http import HttpOptions, open_session
from tests.kit.http import serving
from tests.kit.jobs import job

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-secret-store.md"


class Google:
    """The metadata server and Secret Manager in one."""

    def __init__(self):
        self.secrets = {"KEY": "välue"}
        self.asked = []
        self.status = 200

    async def __call__(self, request):
        self.asked.append(request.path)
        if request.path == "/token":
            assert request.headers["Metadata-Flavor"] == "Google"
            return web.json_response({"access_token": "token"})
        assert request.headers["Authorization"] == "Bearer token"
        name = re.fullmatch(
            r"/projects/mine/secrets/(.+)/versions/latest:access", request.path
        ).group(1)
        if name not in self.secrets:
            return web.Response(status=404)
        data = base64.b64encode(self.secrets[name].encode()).decode()
        return web.json_response({"payload": {"data": data}}, status=self.status)


@pytest.fixture
async def google():
    google = Google()
    async with serving(google) as google.origin:
        yield google


@pytest.fixture
async def store(google, clock):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    exec(compile(code, str(PAGE), "exec"), names)
    async with open_session(HttpOptions()) as session:
        yield names["GoogleSecrets"](
            session, clock, "mine", api=google.origin, metadata=google.origin
        )


async def test_the_documented_store_fills_in_secrets(google, store, clock):
    """A reference becomes the value that the store has, asked for once in five minutes."""
    for _ in range(3):
        resolved = await resolve({"a": "{{secrets.KEY}}"}, [store], job())
        assert resolved.variables == {"a": "välue"}
    assert len(google.asked) == 2
    google.secrets["KEY"] = "new"
    await clock.advance(300)
    assert (await resolve({"a": "{{secrets.KEY}}"}, [store], job())).variables == {"a": "new"}


async def test_the_documented_store_says_what_is_missing(store):
    """A name that it does not have is told with how to add it."""
    with pytest.raises(SecretsMissing, match=r"'NOBODY'.*Secret Manager"):
        await resolve({"a": "{{secrets.NOBODY}}"}, [store], job())


async def test_the_documented_store_may_be_away(google, store):
    """A store that cannot say uses a retry of the job."""
    google.status = 503
    with pytest.raises(SecretsUnavailable, match="503"):
        await resolve({"a": "{{secrets.KEY}}"}, [store], job())
