"""`check` tells how things are and leaves everything as it was, here and at the peers."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing

import pytest

from exporter.check import check
from exporter.progress import Progress
from exporter.settings import load_settings
from exporter.state import FILE, open_state
from tests.kit.backend import Backend
from tests.kit.exporter_process import environ_of
from tests.kit.http import serving
from tests.kit.records import append, task_line
from tests.kit.redis_server import redis_server

LOCAL_SOURCES = {
    "file": "file://{directory}/records.jsonl",
    "http": "http://127.0.0.1:0",
}


@asynccontextmanager
async def checking(tmp_path, **settings):
    """Gives a function that checks; it returns the findings by subject."""
    async with serving(Backend()) as origin:
        environ = environ_of(tmp_path, f"{origin}/events", **settings)

        async def look():
            findings = [finding async for finding in check(load_settings(environ))]
            return {finding.subject: finding for finding in findings}

        yield look


def below(directory):
    """Every file and directory with its content and the time of its last change."""
    return {
        path: (path.read_bytes() if path.is_file() else None, path.stat().st_mtime_ns)
        for path in sorted(directory.rglob("*"))
    }


@pytest.mark.parametrize("source", LOCAL_SOURCES)
async def test_a_check_makes_nothing(source, tmp_path):
    """Before the first start there is no state directory, and none after a check either."""
    append(tmp_path / "records.jsonl", task_line(1))
    before = below(tmp_path)
    url = LOCAL_SOURCES[source].format(directory=tmp_path)
    async with checking(tmp_path, SOURCE=url) as look:
        findings = await look()
    assert all(finding.is_fine for finding in findings.values()), findings
    assert "nothing there yet" in findings["state"].text
    assert below(tmp_path) == before


async def test_a_check_leaves_a_state_as_it_is(tmp_path, clock):
    """What is there is read, and neither changed nor added to."""
    append(tmp_path / "records.jsonl", task_line(1))
    state = await open_state(_made(tmp_path / "state"), "source", 0, clock)
    await state.commit(1, Progress(7))
    state.close()
    before = below(tmp_path)
    async with checking(tmp_path) as look:
        findings = await look()
    assert (findings["state"].is_fine, "1 partitions" in findings["state"].text) == (True, True)
    assert below(tmp_path) == before


async def test_a_check_beside_a_running_service_sees_what_it_sees(tmp_path, clock):
    """What is written down and not yet in the main file is seen; nothing is changed."""
    append(tmp_path / "records.jsonl", task_line(1))
    state = await open_state(_made(tmp_path / "state"), "source", 0, clock)
    try:
        await state.commit(1, Progress(7))
        await state.commit(2, Progress(7))
        async with checking(tmp_path) as look:
            assert "2 partitions" in (await look())["state"].text
        await state.commit(1, Progress(8))
    finally:
        state.close()


async def test_a_state_that_cannot_be_used_is_a_finding(tmp_path, clock):
    """What would stop the start is told, with the way out, and left as it is."""
    append(tmp_path / "records.jsonl", task_line(1))
    (await open_state(_made(tmp_path / "state"), "source", 0, clock)).close()
    with closing(sqlite3.connect(tmp_path / "state" / FILE)) as db:
        db.execute("PRAGMA user_version = 99")
    before = below(tmp_path)
    async with checking(tmp_path) as look:
        finding = (await look())["state"]
    assert not finding.is_fine
    assert "newer version" in finding.text
    assert below(tmp_path) == before


async def test_a_directory_that_cannot_be_made_is_a_finding(tmp_path):
    """A state directory below a file can never be."""
    append(tmp_path / "records.jsonl", task_line(1))
    async with checking(tmp_path, STATE_DIR=str(tmp_path / "records.jsonl" / "state")) as look:
        finding = (await look())["state"]
    assert not finding.is_fine
    assert "APP_INTEGRATIONS_STATE_DIR" in finding.text


@pytest.mark.slow
async def test_a_check_leaves_no_key_in_redis(tmp_path):
    """Neither a stream, a group, a lock nor progress is made by a look."""
    directory = _made(tmp_path / "redis")
    async with redis_server(directory) as server, checking(tmp_path, SOURCE=server.url) as look:
        await server.client.xadd("zeebe:USER_TASK", {"1": task_line(1)})
        assert (await look())["source"].is_fine
        assert await server.client.keys("*") == [b"zeebe:USER_TASK"]
        assert await server.client.xinfo_groups("zeebe:USER_TASK") == []
    assert not (tmp_path / "state").exists()


def _made(directory):
    directory.mkdir()
    return directory
