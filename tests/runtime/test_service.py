"""A whole service of runtime's parts, as a process of its own."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from runtime.health import ask
from runtime.http import HttpOptions, exchange, open_session
from tests.kit.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]

SERVICE = """
import os, sys
from typing import Annotated, ClassVar
import structlog
from runtime import health, lifecycle, logs, metrics
from runtime.clock import SystemClock
from runtime.errors import SettingsError
from runtime.settings import DurationS, Port, SecretStr, Settings, Variable, load, redacted

class Sample(Settings):
    prefixes: ClassVar = ("SAMPLE_",)
    port: Annotated[Port, Variable("SAMPLE_MANAGEMENT_PORT", meaning="Port.")] = 9600
    drain_s: Annotated[DurationS, Variable("SAMPLE_DRAIN", meaning="Drain.")] = 5.0
    secret: Annotated[SecretStr | None, Variable("SAMPLE_SECRET", meaning="Secret.")] = None

try:
    settings = load(Sample, os.environ)
except SettingsError as error:
    sys.exit(lifecycle.report(error))
logs.configure("INFO", "json")
log = structlog.get_logger("sample")
log.info("starting", settings=redacted(settings))

async def main(life):
    registry = metrics.new_registry()
    life.start("loop watch", metrics.watch_loop(metrics.LOOP_LAG.on(registry), SystemClock(), 0.01))
    def stopping():
        return "stopping" if life.stopping.is_set() else None
    management = health.Management("sample", "1", registry, ready={"lifecycle": stopping})
    async with health.serve(management, settings.port, host="127.0.0.1") as url:
        log.info("up", management=url)
        await life.stopping.wait()
    log.info("drained")

sys.exit(lifecycle.run(main, drain_deadline_s=settings.drain_s))
"""


def start(**environ):
    return subprocess.Popen(
        [sys.executable, "-c", SERVICE], cwd=ROOT, env=environ, stderr=subprocess.PIPE
    )


@pytest.mark.slow
def test_wrong_settings_end_the_process_with_2():
    """A process with wrong settings tells them all, a line each, and ends with 2."""
    with start(SAMPLE_DRAIN="soon", SAMPLE_MANAGEMENT_PRT="1") as process:
        _, err = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 2
    assert [line.partition(":")[0] for line in err.decode().splitlines()] == [
        "SAMPLE_DRAIN",
        "SAMPLE_MANAGEMENT_PRT",
    ]


@pytest.mark.slow
def test_taken_port_ends_the_process_with_1():
    """A process that cannot have its port says so and ends with 1."""
    with start(SAMPLE_MANAGEMENT_PORT="0") as holder:
        port = up(holder).rpartition(":")[2]
        with start(SAMPLE_MANAGEMENT_PORT=port) as process:
            _, err = process.communicate(timeout=PATIENCE_S)
        holder.send_signal(signal.SIGINT)

    last = orjson.loads(err.splitlines()[-1])
    assert process.returncode == 1
    assert (last["kind"], last["event"]) == ("ListenError", "failed")


@pytest.mark.slow
async def test_process_answers_until_it_is_told_to_stop():
    """A process tells its health and metrics, and on SIGTERM drains and ends with 0."""
    with start(SAMPLE_MANAGEMENT_PORT="0", SAMPLE_SECRET="hidden") as process:
        url = up(process)
        assert await ask(url) is None
        async with open_session(HttpOptions()) as session:
            ready = await exchange(session, "GET", f"{url}/readyz", limit_bytes=10**6)
            await asyncio.sleep(0.1)
            metrics = await exchange(session, "GET", f"{url}/metrics", limit_bytes=10**6)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0
    assert ready.status == 200
    for name in (b"process_resident_memory_bytes", b"event_loop_lag_seconds"):
        assert b"\n" + name in metrics.body
    assert [orjson.loads(line)["event"] for line in err.splitlines()] == ["stopping", "drained"]
    assert await ask(url) is not None


def up(process):
    """The URL at which a started service answers, from its log."""
    told = b""
    for line in process.stderr:
        told += line
        if (entry := orjson.loads(line))["event"] == "up":
            assert b"hidden" not in told
            return entry["management"]
    raise AssertionError(told)
