from __future__ import annotations

import asyncio
import logging
import os
import random
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.kit.waiting import PATIENCE_S, eventually
from tests.kit.worker import RecordingObserver
from worker.gateway import Gateway
from worker.loop import Worker
from worker.options import WorkerOptions
from worker.outcome import Complete

LOAD_S = float(os.environ.get("OUTAGE_LOAD_S", "12"))
RATE_PER_S = 250
TOTAL = int(LOAD_S * RATE_PER_S)
KILLS = int(LOAD_S / 4)
WINDOW = 100

_log = logging.getLogger(__name__)


class GatewayProcess:
    """The gateway's process, killed and started again on one port."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.port = 0
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        arguments = [str(self.port), str(self.journal), str(RATE_PER_S), str(TOTAL)]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.kit.gateway_process",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
        )
        self.port = int(await self._process.stdout.readline())

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def _gateway_process(journal: Path):
    process = GatewayProcess(journal)
    await process.start()
    try:
        yield process
    finally:
        await process.kill()


def _completions(journal: Path) -> list[str]:
    return [line for line in journal.read_text().splitlines() if line.startswith("completed")]


@pytest.mark.slow
@pytest.mark.timeout(LOAD_S * 3 + 5 * PATIENCE_S)
async def test_no_job_is_lost_however_often_the_gateway_is_killed(tmp_path):
    """A gateway killed and restarted again and again under load: each job is completed once."""
    journal = tmp_path / "journal"
    chance = random.Random(7)
    handled: list[int] = []

    async def handler(job):
        handled.append(job.key)
        await asyncio.sleep(chance.random() * 0.05)
        return Complete(b'{"done": true}')

    async with _gateway_process(journal) as process:
        seen = RecordingObserver()
        async with Gateway(f"http://localhost:{process.port}") as client:
            options = WorkerOptions(
                "demo", "tested", max_jobs_active=WINDOW, job_timeout_ms=10_000, stop_grace_ms=200
            )
            worker = Worker(client, options, handler, observer=seen)
            stop = asyncio.Event()
            run = asyncio.create_task(worker.run(stop, 5))
            ends_s = asyncio.get_running_loop().time() + LOAD_S
            kills = 0
            while asyncio.get_running_loop().time() < ends_s or kills < KILLS:
                await asyncio.sleep(0.3 + chance.random() * 1.2)
                await process.kill()
                kills += 1
                await asyncio.sleep(chance.random() * 1.5)
                await process.start()
            await eventually(lambda: len(_completions(journal)) >= TOTAL, LOAD_S + 3 * PATIENCE_S)
            await eventually(lambda: worker.problem is None)
            stop.set()
            await run
    completions = _completions(journal)
    again = len(handled) - TOTAL
    _log.info("%d kills, %d jobs, %d handled again, %s", kills, TOTAL, again, seen.endings)
    assert kills >= KILLS
    assert len(completions) == len(set(completions)) == TOTAL
    # Jobs are handled again only when an answer to a poll or command was lost with the gateway.
    assert again < kills * WINDOW
