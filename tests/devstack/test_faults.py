"""Each fault as a client sees it, planned in Python and over HTTP."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from devstack.faults import CONTROL_PATH, Cut, Delay, HalfBody, Hang, HtmlPage, Status
from devstack.server import HttpServer
from tests.kit.loop import quiet
from tests.kit.waiting import PATIENCE_S, eventually

WHOLE = b"0123456789"


class Disturbed:
    """A server that answers ten digits and counts how often its handler ran."""

    def __init__(self, clock):
        self.clock = clock
        self.handled = 0
        self.server = HttpServer("disturbed", [web.route("*", "/{path:.*}", self._answer)], clock)
        self.faults = self.server.faults

    async def _answer(self, _request):
        self.handled += 1
        return web.Response(body=WHOLE)


@pytest.fixture
async def disturbed(clock):
    disturbed = Disturbed(clock)
    await disturbed.server.start("127.0.0.1", 0)
    yield disturbed
    await disturbed.server.stop()


@pytest.fixture
async def session(disturbed):
    async with aiohttp.ClientSession(f"http://127.0.0.1:{disturbed.server.port}") as session:
        yield session


async def statuses(session, count, path="/", method="GET"):
    found = []
    for _ in range(count):
        async with session.request(method, path) as response:
            await response.read()
            found.append(response.status)
    return found


async def test_a_status_is_answered_as_often_as_planned(disturbed, session):
    """Twice 500, then the server is itself again; the handler saw neither."""
    disturbed.faults.add(Status(status=500, times=2))
    assert await statuses(session, 3) == [500, 500, 200]
    assert disturbed.handled == 1


async def test_faults_come_in_their_order(disturbed, session):
    """A script of faults is a list of them."""
    disturbed.faults.add(Status(status=401), Status(status=503))
    disturbed.faults.add(Status(status=429))
    assert await statuses(session, 4) == [401, 503, 429, 200]


async def test_a_fault_may_be_for_some_requests_only(disturbed, session):
    """Path and method choose; the others pass it by."""
    disturbed.faults.add(Status(status=500, path="/v1/", method="post"))
    assert await statuses(session, 1, "/v1/x") == [200]
    assert await statuses(session, 1, "/v2/x", "POST") == [200]
    assert await statuses(session, 2, "/v1/x", "POST") == [500, 200]


async def test_a_fault_without_end_ends_when_it_is_cleared(disturbed, session):
    """Zero times means until further notice."""
    disturbed.faults.add(Status(status=500, times=0))
    assert await statuses(session, 3) == [500] * 3
    disturbed.faults.clear()
    assert await statuses(session, 1) == [200]


@pytest.mark.parametrize("retry_after", ["7", 7])
async def test_a_429_says_when_to_come_back(disturbed, session, retry_after):
    """Header, media type and body are as planned; seconds may be a number."""
    fault = Status(status=429, retry_after=retry_after, body="{}", content_type="application/json")
    disturbed.faults.add(fault)
    async with session.get("/") as response:
        body = await response.read()
    assert (response.status, response.headers["Retry-After"], body) == (429, "7", b"{}")
    assert response.content_type == "application/json"


async def test_an_html_page_looks_like_success(disturbed, session):
    """A sign-in page with 200 in place of an answer."""
    disturbed.faults.add(HtmlPage())
    async with session.get("/") as response:
        assert (response.status, response.content_type) == (200, "text/html")


async def test_a_delay_passes_on_the_clock(disturbed, session):
    """The answer comes when the clock has moved on, and is right."""
    disturbed.faults.add(Delay(delay_s=30))
    request = asyncio.create_task(statuses(session, 1))
    await eventually(lambda: disturbed.clock.sleeping_s)
    assert disturbed.handled == 0
    await disturbed.clock.advance(30)
    assert await request == [200]


async def test_a_hang_lasts_until_it_is_cleared(disturbed, session):
    """Nothing comes; then the request is handled."""
    disturbed.faults.add(Hang())
    request = asyncio.create_task(statuses(session, 1))
    await eventually(lambda: not disturbed.faults.waiting)
    await quiet()
    assert not request.done()
    disturbed.faults.clear()
    assert await request == [200]


async def test_a_hanging_request_does_not_hold_up_the_end(disturbed, session):
    """The server stops although somebody waits."""
    disturbed.faults.add(Hang())
    request = asyncio.create_task(statuses(session, 1))
    await eventually(lambda: not disturbed.faults.waiting)
    await asyncio.wait_for(disturbed.server.stop(), PATIENCE_S)
    await asyncio.wait([request])
    assert request.exception() is None or isinstance(request.exception(), aiohttp.ClientError)


async def test_a_cut_connection_gives_no_answer(disturbed, session):
    """The connection is reset, and the request had no effect."""
    disturbed.faults.add(Cut(times=0))
    with pytest.raises(aiohttp.ClientConnectionError):
        await session.post("/")
    disturbed.faults.clear()
    assert disturbed.handled == 0
    assert await statuses(session, 1) == [200]


async def test_half_a_body_is_all_that_comes(disturbed, session):
    """The whole length is announced, half arrives, and the request had its effect."""
    disturbed.faults.add(HalfBody())
    async with session.get("/") as response:
        assert response.headers["Content-Length"] == "10"
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    assert disturbed.handled == 1


async def test_faults_are_planned_over_http(session):
    """The control endpoint plans, lists and clears, and is itself never disturbed."""
    for fault in ({"kind": "status", "status": 500, "times": 2}, {"kind": "cut", "path": "/v1/"}):
        async with session.post(CONTROL_PATH, json=fault) as response:
            assert response.status == 204
    assert await statuses(session, 1) == [500]
    async with session.get(CONTROL_PATH) as response:
        first, second = await response.json()
    assert (first["kind"], first["status"], first["times"]) == ("status", 500, 1)
    assert (second["kind"], second["path"], second["times"]) == ("cut", "/v1/", 1)
    async with session.delete(CONTROL_PATH) as response:
        assert response.status == 204
    assert await statuses(session, 1) == [200]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not JSON"),
        (b'{"kind": "explode"}', "explode"),
        (b'{"kind": "status"}', "status"),
        (b'{"kind": "status", "status": 500, "time": 2}', "time"),
        (b'{"kind": "delay", "delay_s": "long"}', "delay_s"),
        (b'{"kind": "delay", "delay_s": -1}', "delay_s"),
        (b'{"kind": "cut", "times": -1}', "times"),
        (b'{"kind": "status", "status": 99}', "status"),
    ],
)
async def test_a_fault_that_is_none_is_refused(session, body, reason):
    """400 with the reason, and nothing is planned."""
    async with session.post(CONTROL_PATH, data=body) as response:
        assert (response.status, reason in await response.text()) == (400, True)
    async with session.get(CONTROL_PATH) as response:
        assert await response.json() == []
