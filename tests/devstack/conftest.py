"""A store with the API v1 in front of it on a real socket, and records written by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import orjson
import pytest

from devstack.operate.store import Store
from devstack.operate_v1 import OperateV1
from devstack.server import HttpServer
from devstack.version import Version
from tests.kit.clock import FakeClock
from tests.kit.zeebe_records import Journal


@dataclass
class V1:
    """The API over a socket: `search` and `get` give status and JSON body."""

    session: aiohttp.ClientSession
    url: str
    store: Store
    journal: Journal
    clock: FakeClock

    async def search(self, path, body=None, *, raw=None):
        data = raw if raw is not None else orjson.dumps({} if body is None else body)
        headers = {"Content-Type": "application/json"}
        url = f"{self.url}/v1/{path}/search"
        async with self.session.post(url, data=data, headers=headers) as response:
            return response.status, orjson.loads(await response.read())

    async def items(self, path, filter=None, **query):
        status, body = await self.search(path, {"filter": filter, **query})
        assert status == 200, body
        return body["items"]

    async def get(self, path):
        async with self.session.get(f"{self.url}/v1/{path}") as response:
            return response.status, orjson.loads(await response.read())


@asynccontextmanager
async def running_v1(version="8.8", clock=None, **store_options) -> AsyncIterator[V1]:
    clock = clock or FakeClock()
    of = Version.parse(version)
    store = Store(clock, version=of, **store_options)
    server = HttpServer("operate", OperateV1(store, of, clock).routes(), clock)
    port = await server.start("127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session:
            journal = Journal(store.read, now_ms=clock.now_ms())
            yield V1(session, f"http://127.0.0.1:{port}", store, journal, clock)
    finally:
        await server.stop()


@pytest.fixture
async def v1(clock):
    async with running_v1(clock=clock) as api:
        yield api
