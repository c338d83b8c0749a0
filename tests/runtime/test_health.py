import asyncio
import re
import socket
import xml.dom.minidom
from contextlib import asynccontextmanager

import orjson
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter

from runtime.errors import ListenError
from runtime.health import Management, ask, serve
from runtime.http import HttpOptions, exchange, open_session
from runtime.status import Section, Status, as_json, as_page
from tests.kit.http import serving, talking

SECTIONS = (
    Section(
        "jobs",
        "Jobs & <more>",
        facts={"active": 3, "on": True, "rate": 1.5, "none": None},
        columns=("operation", "count"),
        rows=(("search <b>", 1234567), ("getByKey", None)),
    ),
    Section("empty", "Nothing yet", columns=("a",)),
)


def management(**parts):
    registry = CollectorRegistry()
    Counter("jobs", "Jobs done.", registry=registry).inc(2)
    return Management("service", "1.2", registry, **parts)


@asynccontextmanager
async def up(clock, **parts):
    async with serve(management(**parts), 0, host="127.0.0.1", clock=clock) as url:
        yield url


async def get(url, method="GET", **headers):
    async with open_session(HttpOptions()) as session:
        return await exchange(session, method, url, limit_bytes=2**20, headers=headers)


@pytest.mark.parametrize("path", ["/readyz", "/actuator/health/readiness"])
async def test_ready_when_no_check_objects(clock, path):
    """Checks that give no reason make it ready."""
    async with up(clock, ready={"gateway": lambda: None}) as url:
        answer = await get(url + path)

    assert answer.status == 200
    assert orjson.loads(answer.body) == {"status": "UP", "reasons": {}}


@pytest.mark.parametrize("path", ["/readyz", "/actuator/health/readiness"])
async def test_not_ready_says_why(clock, path):
    """Each check that objects is named with its reason, with status 503."""
    checks = {"gateway": lambda: "away since 12 s", "token": lambda: None}
    async with up(clock, ready=checks) as url:
        answer = await get(url + path)

    assert answer.status == 503
    assert answer.headers["Content-Type"] == "application/json"
    assert orjson.loads(answer.body) == {
        "status": "DOWN",
        "reasons": {"gateway": "away since 12 s"},
    }


@pytest.mark.parametrize("path", ["/livez", "/actuator/health/liveness"])
async def test_alive_though_not_ready(clock, path):
    """Liveness does not ask the checks of readiness."""
    async with up(clock, ready={"gateway": lambda: "away"}) as url:
        assert (await get(url + path)).status == 200


async def test_own_check_decides_on_liveness(clock):
    """A service that knows it is stuck says so."""
    async with up(clock, alive={"loop": lambda: "stuck"}) as url:
        answer = await get(f"{url}/livez")
        assert await ask(url) == f"{url} answers 503"

    assert orjson.loads(answer.body)["reasons"] == {"loop": "stuck"}


@pytest.mark.parametrize("path", ["/metrics", "/actuator/prometheus"])
async def test_metrics_are_of_the_own_registry(clock, path):
    """Metrics come in Prometheus' text format."""
    async with up(clock) as url:
        answer = await get(url + path)

    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert b"jobs_total 2.0\n" in answer.body


async def test_openmetrics_is_given_when_asked_for(clock):
    """A scraper that asks for OpenMetrics gets it."""
    async with up(clock) as url:
        answer = await get(f"{url}/metrics", Accept="application/openmetrics-text; version=1.0.0")

    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.body.endswith(b"# EOF\n")


PATHS = ["/livez", "/readyz", "/metrics", "/status.json", "/"]


@pytest.mark.parametrize("path", PATHS)
async def test_head_is_answered(clock, path):
    """HEAD gives the head of what GET gives."""
    async with up(clock) as url:
        answer = await get(url + path, "HEAD")

    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_can_be_posted(clock, path):
    """The port is for reading only."""
    async with up(clock) as url:
        assert (await get(url + path, "POST")).status == 405


async def test_unknown_path_is_404(clock):
    """Other paths are not there."""
    async with up(clock) as url:
        assert (await get(f"{url}/env")).status == 404


async def test_status_json_has_the_sections(clock):
    """Programs read what the page shows, values as themselves."""
    checks = {"gateway": lambda: "away"}
    async with up(clock, ready=checks, sections=lambda: SECTIONS) as url:
        await clock.advance(90)
        answer = await get(f"{url}/status.json")

    assert orjson.loads(answer.body) == {
        "service": "service",
        "version": "1.2",
        "uptime_s": 90.0,
        "ready": False,
        "reasons": {"gateway": "away"},
        "sections": {
            "jobs": {
                "title": "Jobs & <more>",
                "facts": {"active": 3, "on": True, "rate": 1.5, "none": None},
                "rows": [
                    {"operation": "search <b>", "count": 1234567},
                    {"operation": "getByKey", "count": None},
                ],
            },
            "empty": {"title": "Nothing yet", "rows": []},
        },
    }


async def test_page_shows_the_sections_without_scripts(clock):
    """The page is HTML of its own, escaped, reloading itself, with a policy that allows no more."""
    checks = {"gateway": lambda: "away <since> 5 s"}
    async with up(clock, ready=checks, sections=lambda: SECTIONS) as url:
        answer = await get(f"{url}/")
    html = answer.body.decode()

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert '<meta http-equiv="refresh" content="5">' in html
    assert "prefers-color-scheme: dark" in html
    for shown in ("Not ready", "away &lt;since&gt; 5 s", "Jobs &amp; &lt;more&gt;", "1,234,567"):
        assert shown in html
    assert "search &lt;b&gt;" in html
    assert not re.search(r"<script|https?://|src=|@import|url\(", html)


@given(text=st.text(st.characters(exclude_categories=["Cc", "Cs"])), number=st.floats())
def test_page_is_well_formed_whatever_it_shows(text, number):
    """No text breaks out of its place."""
    section = Section(text, text, {text: text}, (text,), ((text,), (number,), (None,), (True,)))
    page = as_page(Status(text, text, 5, {text: text}, (section,)), 5)
    as_xml = page.replace("<!doctype html>", "").replace("&ndash;", "-")
    as_xml = re.sub(r"<meta ([^>]*)>", r"<meta \1/>", as_xml)
    xml.dom.minidom.parseString(as_xml.encode("utf-8", "surrogatepass"))


def test_row_that_does_not_fit_its_columns_is_refused():
    """A row with more or fewer cells than columns is a mistake of ours."""
    section = Section("a", "A", columns=("a", "b"), rows=((1,),))
    with pytest.raises(ValueError, match="zip"):
        as_json(Status("s", "1", 0, {}, (section,)))


@pytest.mark.parametrize(
    ("uptime_s", "text"),
    [(0.5, "0 s"), (59, "59 s"), (3_725, "1 h 2 min"), (90_061, "1 d 1 h"), (86_400, "1 d")],
)
def test_uptime_is_told_in_two_units(uptime_s, text):
    """A time span is shown by its two largest units."""
    assert f"Up for {text}." in as_page(Status("s", "1", uptime_s, {}), 5)


async def test_every_address_is_listened_at():
    """Without a host the port answers on every address, so that a container is reached."""
    async with serve(management(), 0) as url:
        port = url.rpartition(":")[2]

        assert await ask(f"http://127.0.0.1:{port}") is None


async def test_taken_port_is_told():
    """A port that another program has is an error that names it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ListenError, match=f"port {port} cannot"):
            async with serve(management(), port, host="127.0.0.1"):
                pass


async def test_ask_finds_a_service_alive(clock):
    """The client of the health command sees that a service is alive."""
    async with up(clock) as url:
        assert await ask(url) is None
        assert await ask(f"{url}/") is None


async def test_ask_tells_why_not():
    """Nobody there, and somebody who does not answer, are told."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert "refused" in await ask(f"http://127.0.0.1:{port}")

    async def hang(_reader, _writer):
        await asyncio.Event().wait()

    async with talking(hang) as url:
        assert "time allowed" in await ask(url, timeout_s=0.05)


async def test_ask_is_not_fooled_by_another_server():
    """A server without /livez is not a service that is alive."""

    async def nothing(_request):
        return web.Response(status=404)

    async with serving(nothing) as url:
        assert await ask(url) == f"{url} answers 404"
