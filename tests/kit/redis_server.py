"""A real Redis of the test's own, on a free port, that can be stopped, killed and begun anew."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from tests.kit.waiting import PATIENCE_S


def require_redis() -> str:
    """The program; the test is skipped with the package's name where it is missing."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.fail("needs the Debian package redis-server; run tests/system-packages")
    return program


def free_port() -> int:
    """A port that nobody listens on now."""
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class RedisServer:
    """A server in a directory of its own; what it was told survives a stop, not a kill."""

    def __init__(self, directory: Path, *options: str) -> None:
        self._program = require_redis()
        self._directory = directory
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.client: Any = redis.asyncio.Redis(port=self.port)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def start(self) -> None:
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--appendonly", "yes"]
        self._process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
            [self._program, *arguments, *self._options],
            cwd=self._directory,
            stdout=subprocess.DEVNULL,
        )
        await self._answers()

    async def _answers(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    with closing(socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)):
                        return
                except OSError:
                    await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """End it; what it holds is written first."""
        if self._process is not None:
            self._process.terminate()
            await asyncio.to_thread(self._process.wait, PATIENCE_S)
            self._process = None

    async def add(self, *records: bytes, stream: str = "zeebe:USER_TASK") -> list[bytes]:
        """Write records as the broker's exporter does: one field, named by a number."""
        async with self.client.pipeline(transaction=False) as pipeline:
            for at, record in enumerate(records):
                pipeline.xadd(stream, {str(1_700_000_000_000 + at): record})
            return list(await pipeline.execute())


@asynccontextmanager
async def redis_server(directory: Path, *options: str) -> AsyncIterator[RedisServer]:
    server = RedisServer(directory, *options)
    await server.start()
    try:
        yield server
    finally:
        await server.client.aclose()
        await server.stop()
