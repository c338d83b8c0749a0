from __future__ import annotations

import pytest
from aiohttp import ClientSession, web

from bpmn.demo.tap import Exchange, Tap


@pytest.fixture
async def session():
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def operate():
    """A server that tells in its answer what it was asked; gives its address."""

    async def answer(request):
        asked = f"{request.method} {request.path_qs} {request.headers.get('Authorization')} "
        body = asked.encode() + await request.read()
        return web.Response(body=body, status=418, headers={"X-Answer": "tea", "Set-Cookie": "a=b"})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_requests_and_answers_go_through_unchanged(operate, session):
    """What the connector asks gets to Operate, and what Operate answers gets to the connector."""
    async with (
        Tap(operate, session) as tap,
        session.post(
            f"{tap.url_for('story')}/v1/incidents/search?a=b",
            data=b'{"size":2}',
            headers={"Authorization": "Bearer token"},
        ) as response,
    ):
        assert await response.text() == 'POST /v1/incidents/search?a=b Bearer token {"size":2}'
        assert response.status == 418
        assert response.headers["X-Answer"] == "tea"
        assert response.headers["Set-Cookie"] == "a=b"


async def test_each_story_has_its_own_notes(operate, session):
    """Exchanges are noted in order under the address that was used, without any header."""
    async with Tap(operate, session) as tap:
        for story, path in (("one", "/v1/a"), ("two", "/v1/b"), ("one", "/v1/c")):
            async with session.get(f"{tap.url_for(story)}{path}"):
                pass
        assert tap.heard("one") == (
            Exchange("GET", "/v1/a", b"", 418, b"GET /v1/a None "),
            Exchange("GET", "/v1/c", b"", 418, b"GET /v1/c None "),
        )
        assert len(tap.heard("two")) == 1
        assert tap.heard("three") == ()
