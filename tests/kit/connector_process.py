"""The connector as an operator runs it: a process of its own, set up by its environment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import orjson

from tests.kit.waiting import PATIENCE_S


class ConnectorProcess:
    """A running connector: its logs, its management port, its end."""

    def __init__(self, process: asyncio.subprocess.Process, reading: asyncio.Task) -> None:
        self.process = process
        self.lines: list[str] = []
        self.url = ""
        self._reading = reading

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page of the management port."""
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
            return response.status, await response.text()

    async def stop(self, within_s: float = PATIENCE_S) -> int:
        """Send SIGTERM and give the exit code."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(within_s):
            code = await self.process.wait()
        await self._reading
        return code


@asynccontextmanager
async def connector_process(environ: Mapping[str, str]) -> AsyncIterator[ConnectorProcess]:
    """Run the connector until the block ends; it is killed if it did not end by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "connector",
        "run",
        env={"PATH": os.environ["PATH"], "CONNECTOR_MANAGEMENT_PORT": "0", **environ},
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    working = asyncio.get_running_loop().create_future()
    running = ConnectorProcess(process, None)

    async def read() -> None:
        while line := await process.stderr.readline():
            running.lines.append(line.decode())
            if b'"event":"working"' in line and not working.done():
                working.set_result(orjson.loads(line)["management"])
        if not working.done():
            working.set_exception(RuntimeError("".join(running.lines)))

    running._reading = asyncio.create_task(read())
    try:
        async with asyncio.timeout(PATIENCE_S):
            running.url = await working
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await running._reading
