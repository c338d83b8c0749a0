from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import asynccontextmanager, closing

import psutil
import pytest

from exporter.__main__ import main
from tests.kit.backend import TAKE, Backend, status
from tests.kit.exporter_process import command, environ_of, running
from tests.kit.http import serving
from tests.kit.records import append, places, task_line
from tests.kit.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.slow


@asynccontextmanager
async def world(tmp_path, **settings):
    """A backend, a log, and settings that join them."""
    backend = Backend()
    async with serving(backend) as origin:
        yield (
            backend,
            tmp_path / "records.jsonl",
            environ_of(tmp_path, f"{origin}/events", **settings),
        )


async def test_it_delivers_and_stops_when_told_to(tmp_path):
    """User tasks arrive; SIGTERM sends what was read and ends with exit code 0."""
    async with world(tmp_path) as (backend, log, environ):
        append(log, *(task_line(n) for n in range(1, 8)))
        async with running(environ) as service:
            await service.ready()
            await eventually(lambda: len(backend.events) == 7)
            assert await service.stop() == 0
        assert places(backend.events) == [(1, n) for n in range(1, 8)]


async def test_a_stop_sends_what_was_read(tmp_path):
    """The batch that is being filled at SIGTERM is delivered before the end."""
    never = {"BATCH_SIZE": "100", "BATCH_INTERVAL_MS": "3600000"}
    async with world(tmp_path, **never) as (backend, log, environ):
        append(log, task_line(1), task_line(2))
        async with running(environ) as service:
            await service.ready()
            await service.until("lag_seconds", at_least=1)
            assert backend.posted == []
            assert await service.stop() == 0
        assert backend.keys == ["1-1-2"]


async def test_a_stop_does_not_wait_for_a_backend_that_is_away(tmp_path):
    """After the drain deadline the service ends with 0; the rest is sent after the next start."""
    async with world(tmp_path, DRAIN_DEADLINE="PT0.5S") as (backend, log, environ):
        backend.otherwise = status(503)
        append(log, *(task_line(n) for n in range(1, 8)))
        async with running(environ) as service:
            await eventually(lambda: backend.posted)
            assert await asyncio.wait_for(service.stop(), PATIENCE_S) == 0
        backend.otherwise = TAKE
        async with running(environ) as service:
            await eventually(lambda: len(backend.events) == 7)
            assert await service.stop() == 0


async def test_readiness_names_what_is_in_the_way(tmp_path):
    """The breaker, stalled lanes and lag are named, and liveness does not depend on them."""
    async with world(tmp_path, READY_LAG="PT1S") as (backend, log, environ):
        backend.otherwise = status(503)
        append(log, task_line(1))
        async with running(environ) as service:
            await eventually(lambda: len(backend.posted) > 6)
            code, text = await service.get("/readyz")
            reasons = json.loads(text)["reasons"]
            assert code == 503
            assert "circuit breaker" in reasons["backend"]
            assert "partition 1: backend" in reasons["lanes"]
            assert "partition 1 is" in reasons["lag"]
            assert (await service.get("/livez"))[0] == 200
            metrics = (await service.get("/metrics"))[1]
            assert "zeebe_app_integrations_exporter_export_failed_total" in metrics
            assert 'app_integrations_exporter_stalled{partition="1"} 1.0' in metrics
            backend.otherwise = TAKE
            await service.ready()
            assert '"position": "1"' in json.dumps(
                json.loads((await service.get("/status.json"))[1])
            )


async def test_a_second_owner_refuses_to_start(tmp_path):
    """While one holds the lease the other ends with 1 and says who; a kill sets it free at once."""
    async with world(tmp_path) as (backend, log, environ):
        append(log, task_line(1))
        async with running(environ) as first:
            await first.ready()
            await eventually(lambda: backend.events)
            code, _, errors = await command(
                environ | {"APP_INTEGRATIONS_MANAGEMENT_PORT": "0"}, "run"
            )
            assert code == 1
            assert str(first.process.pid) in errors
            first.process.kill()
            await first.process.wait()
        async with running(environ) as second:
            await second.ready()


@pytest.mark.parametrize("damage", ["empty", "newer"])
async def test_a_state_that_cannot_be_read_ends_the_start(damage, tmp_path):
    """Exit code 1 and a way out; nothing is sent and nothing begins anew."""
    async with world(tmp_path) as (backend, log, environ):
        append(log, task_line(1))
        async with running(environ) as service:
            await eventually(lambda: backend.events)
            await service.stop()
        state = tmp_path / "state" / "exporter.sqlite3"
        if damage == "empty":
            state.write_bytes(b"")
        else:
            with closing(sqlite3.connect(state)) as db:
                db.execute("PRAGMA user_version = 99")
        code, _, errors = await command(environ, "run")
        assert code == 1
        assert "--from-beginning" in errors
        assert len(backend.posted) == 1


async def test_where_to_begin_can_be_said(tmp_path):
    """`--from-beginning` sends all again, `--from-position` from there on."""
    async with world(tmp_path) as (backend, log, environ):
        append(log, *(task_line(n) for n in range(1, 7)))
        for arguments, count in (
            ((), 6),
            (("--from-beginning",), 12),
            (("--from-position", "1:5"), 14),
        ):
            async with running(environ, *arguments) as service:
                await eventually(lambda total=count: len(backend.events) == total)
                await service.stop()
        assert places(backend.events[-2:]) == [(1, 5), (1, 6)]


async def test_dead_letters_are_listed_shown_and_redriven(tmp_path):
    """The commands work while the service runs: list, show, a dry run, one, a range, all."""
    async with world(tmp_path) as (backend, log, environ):
        backend.otherwise = status(400)
        append(log, *(task_line(n) for n in range(1, 13)))
        async with running(environ) as service:
            await service.ready()
            await service.until("position", at_least=12)
            assert len(backend.posted) == 4
            code, out, _ = await command(environ, "dead-letters", "list")
            assert code == 0
            assert len(out.splitlines()) == 5
            assert "the backend answers 400" in out
            code, out, _ = await command(environ, "dead-letters", "show", "2")
            shown = json.loads(out)
            assert (code, shown["idempotencyKey"], shown["status"]) == (0, "1-4-6", 400)
            assert len(shown["body"]["events"]) == 3
            posted = len(backend.posted)
            code, out, _ = await command(environ, "dead-letters", "redrive", "--all", "--dry-run")
            assert (code, out.count("would send 3 events")) == (0, 4)
            assert len(backend.posted) == posted
            code, out, _ = await command(environ, "dead-letters", "redrive", "1")
            assert code == 1
            assert "refused" in out
            backend.otherwise = TAKE
            assert (await command(environ, "dead-letters", "redrive", "2"))[0] == 0
            assert (await command(environ, "dead-letters", "redrive", "3-4"))[0] == 0
            code, out, _ = await command(environ, "dead-letters", "redrive", "--all")
            assert (code, "1 of 1 delivered, 0 kept" in out) == (0, True)
            assert backend.keys == ["1-4-6", "1-7-9", "1-10-12", "1-1-3"]
            assert await service.stop() == 0
        assert (await command(environ, "dead-letters", "show", "2"))[0] == 1


@pytest.mark.parametrize("action", [("list",), ("show", "1"), ("redrive", "--all")])
async def test_dead_letters_of_no_state_make_none(tmp_path, action):
    """A wrong state directory is told, and nothing is made there."""
    async with world(tmp_path) as (_, _, environ):
        code, _, err = await command(environ, "dead-letters", *action)
    assert code == 1
    assert "APP_INTEGRATIONS_STATE_DIR" in err
    assert not (tmp_path / "state").exists()


async def test_status_and_check_tell_how_things_are(tmp_path):
    """`status` shows positions, `check` a line for each thing that it looked at."""
    async with world(tmp_path) as (backend, log, environ):
        assert (await command(environ, "status"))[0] == 1
        append(log, *(task_line(n) for n in range(1, 4)))
        async with running(environ) as service:
            await eventually(lambda: backend.events)
            assert (await command(environ, "health"))[:2] == (0, "alive\n")
            await service.stop()
        code, out, _ = await command(environ, "status")
        assert (code, out.splitlines()[1].split()[:2]) == (0, ["1", "3"])
        code, out, _ = await command(environ, "check")
        assert (code, out.count("ok  ")) == (0, 4)
        assert (await command(environ, "health"))[0] == 1
    code, out, _ = await command(environ, "check")
    assert (code, out.count("FAIL backend")) == (1, 1)


async def test_it_is_small_when_idle(tmp_path):
    """An idle service takes no more than 60 MB, installed without what only tests need."""
    # structlog loads rich where it is installed, and here the linter of imports brings it.
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "rich.py").write_text("raise ImportError")
    async with world(tmp_path) as (_, log, environ):
        environ["PYTHONPATH"] = str(hidden)
        append(log, task_line(1))
        async with running(environ) as service:
            await service.ready()
            await asyncio.sleep(1.0)
            resident_bytes = psutil.Process(service.process.pid).memory_info().rss
        assert resident_bytes <= 60 * 1024 * 1024


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 2),
        (["run", "--from-position", "x"], 2),
        (["run", "--from-position", "0:5"], 2),
        (["run", "--from-beginning", "--from-position", "1:1"], 2),
        (["dead-letters", "redrive"], 2),
        (["dead-letters", "redrive", "9-3"], 2),
        (["unknown"], 2),
        (["--help"], 0),
        (["run", "--help"], 0),
    ],
)
def test_wrong_usage_ends_with_2(arguments, code, capsys):
    """A command line that cannot be meant is explained and ends with exit code 2."""
    with pytest.raises(SystemExit) as ending:
        main(arguments, {})
    assert ending.value.code == code


def test_wrong_settings_end_with_2(capsys):
    """Faults of the settings go to stderr, all of them, with exit code 2; `check` says FAIL."""
    assert main(["run"], {}) == 2
    told = capsys.readouterr().err
    assert "APP_INTEGRATIONS_URL" in told
    assert "APP_INTEGRATIONS_SOURCE" in told
    assert main(["check"], {}) == 1
    assert "FAIL settings: APP_INTEGRATIONS_URL" in capsys.readouterr().out


def test_the_version_is_told(capsys):
    """`version` prints it and ends with 0."""
    assert main(["version"], {}) == 0
    assert capsys.readouterr().out.strip()
