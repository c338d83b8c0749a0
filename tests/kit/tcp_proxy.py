"""A wire between a client and a server that a test can cut, close and hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class TcpProxy:
    """Passes bytes both ways until told otherwise.

    Attributes:
        port: Where it listens.
        refuses: New connections are closed at once.
        cut_after_bytes: Connections break once the server has answered so many bytes more.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.refuses = False
        self.cut_after_bytes: int | None = None
        self.connections = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def to(self, target_port: int) -> None:
        """Pass new connections on to another port."""
        self._target_port = target_port

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self.cut()
            await asyncio.gather(*self._serving, return_exceptions=True)
            await self._server.wait_closed()

    def cut(self) -> None:
        """Break every connection, without an orderly end."""
        for writer in self._writers:
            writer.transport.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self.refuses:
                return
            self.connections += 1
            there_reader, there = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._writers.add(there)
            try:
                await asyncio.gather(
                    self._pass(reader, there), self._pass(there_reader, writer, answers=True)
                )
            finally:
                self._writers.discard(there)
                there.close()
        except OSError:
            pass  # one side went away, so does the other
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        while data := await reader.read(1 << 16):
            if answers and self.cut_after_bytes is not None:
                self.cut_after_bytes -= len(data)
                if self.cut_after_bytes < 0:
                    self.cut_after_bytes = None
                    self.cut()
                    return
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def tcp_proxy(target_port: int) -> AsyncIterator[TcpProxy]:
    proxy = TcpProxy(target_port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
