"""The backend: who is let in, what is kept and shown."""

from __future__ import annotations

import aiohttp
import orjson
import pytest

from devstack.backend import Backend
from devstack.faults import Status
from devstack.server import HttpServer

EVENT = {"id": "1", "intent": "CREATED", "type": "USER_TASK"}


@pytest.fixture
async def backend(clock):
    """A backend on a socket, and a client of it."""
    backend = Backend(clock, lambda token: token == "good")
    server = HttpServer("backend", backend.routes(), clock)
    port = await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield backend, session, server
    await server.stop()


def body(*events):
    return orjson.dumps({"events": events})


async def post(session, data, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with session.post("/events", data=data, headers=named) as response:
        return response.status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x_api_key": "demo-key"}, 204),
        ({"Authorization": "Bearer good"}, 204),
        ({"x_api_key": "other"}, 401),
        ({"x_api_key": "other", "Authorization": "Bearer good"}, 401),
        ({"Authorization": "Bearer bad"}, 401),
        ({}, 401),
    ],
)
async def test_who_is_let_in(backend, headers, status):
    """The API key or a good token is needed; a wrong key is not saved by a token."""
    taken, session, _ = backend
    assert await post(session, body(EVENT), **headers) == status
    assert list(taken.events) == ([EVENT] if status == 204 else [])


@pytest.mark.parametrize("data", [b"", b"[]", b'{"events": {}}', b'{"events": [1]}', b'{"events"'])
async def test_what_is_no_batch_is_refused(backend, data):
    """Anything but an object with a list of events is answered 400 and not kept."""
    taken, session, _ = backend
    assert await post(session, data, x_api_key="demo-key") == 400
    assert not taken.deliveries


async def test_a_repeat_is_marked(backend):
    """A second request with the same Idempotency-Key is taken, and counted as a repeat."""
    taken, session, _ = backend
    for _ in range(2):
        assert (
            await post(session, body(EVENT), x_api_key="demo-key", Idempotency_Key="1-5-5") == 204
        )
    await taken.arrived(2)
    assert [each.is_repeat for each in taken.deliveries] == [False, True]
    assert list(taken.events) == [EVENT]


async def test_what_came_is_listed_and_forgotten(backend, clock):
    """The list begins where it is asked to; DELETE begins anew."""
    taken, session, _ = backend
    await post(session, body(EVENT, EVENT | {"id": "2"}), x_api_key="demo-key")
    async with session.get("/events?after=1") as response:
        listed = await response.json()
    assert listed == {
        "next": 2,
        "deliveries": [
            {
                "number": 1,
                "arrivedMs": clock.now_ms(),
                "idempotencyKey": "",
                "isRepeat": False,
                "event": EVENT | {"id": "2"},
            }
        ],
    }
    async with session.delete("/events") as response:
        assert response.status == 204
    assert not taken.deliveries


async def test_the_page_and_its_files_are_there(backend):
    """A person finds a page at the root, and the page its script."""
    _, session, _ = backend
    for path, kind in [("/", "text/html"), ("/devstack/page/backend.js", "/javascript")]:
        async with session.get(path) as response:
            assert response.status == 200
            assert response.content_type.endswith(kind)


async def test_answers_come_from_a_script(backend):
    """A planned fault is the next answer, and what it refused is not kept."""
    taken, session, server = backend
    server.faults.add(Status(status=503, path="/events"))
    assert await post(session, body(EVENT), x_api_key="demo-key") == 503
    assert await post(session, body(EVENT), x_api_key="demo-key") == 204
    assert len(taken.deliveries) == 1
