"""The exporter as a program: started, asked and stopped as an operator does."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from tests.kit.waiting import PATIENCE_S


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environ_of(directory, url: str, **more: str) -> dict[str, str]:
    """Settings for a log file in a directory; names of `more` are without the prefix."""
    ours = {
        "URL": url,
        "SOURCE": f"file://{directory}/records.jsonl",
        "STATE_DIR": str(directory / "state"),
        "MANAGEMENT_PORT": str(free_port()),
        "BATCH_SIZE": "3",
        "BATCH_INTERVAL_MS": "50",
        "RETRY_DELAY_MS": "20",
        "RETRY_MAX_DELAY_MS": "100",
        "BREAKER_PROBE_MS": "100",
        # the records of tests are as old as the tests
        "READY_LAG": "P9999D",
    } | more
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        **{f"APP_INTEGRATIONS_{name}": value for name, value in ours.items()},
    }


async def command(environ, *arguments: str) -> tuple[int, str, str]:
    """Run a command to its end: exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "exporter",
        *arguments,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@dataclass
class Running:
    """A running service."""

    process: asyncio.subprocess.Process
    port: int
    errors: asyncio.Task[bytes]

    async def get(self, path: str) -> tuple[int, str]:
        """What the management port answers; 0 while nobody listens."""
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{self.port}{path}") as response,
            ):
                return response.status, await response.text()
        except aiohttp.ClientError:
            return 0, ""

    async def until(self, metric: str, at_least: float) -> None:
        """Wait until a metric of the first partition has come to a value."""
        begin = f'app_integrations_exporter_{metric}{{partition="1"}} '
        async with asyncio.timeout(PATIENCE_S):
            while True:
                _, text = await self.get("/metrics")
                found = [line for line in text.splitlines() if line.startswith(begin)]
                if found and float(found[0].removeprefix(begin)) >= at_least:
                    return
                await asyncio.sleep(0.02)

    async def ready(self, code: int = 200) -> str:
        """Wait until readiness is `code`; gives the answer's text."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                status, text = await self.get("/readyz")
                if status == code:
                    return text
                if self.process.returncode is not None:
                    raise AssertionError((await self.errors).decode())
                await asyncio.sleep(0.02)

    async def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)


@asynccontextmanager
async def running(environ, *arguments: str):
    """The service while the block runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "exporter",
        "run",
        *arguments,
        env=environ,
        stderr=asyncio.subprocess.PIPE,
    )
    errors = asyncio.create_task(process.stderr.read())
    try:
        yield Running(process, int(environ["APP_INTEGRATIONS_MANAGEMENT_PORT"]), errors)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await errors
