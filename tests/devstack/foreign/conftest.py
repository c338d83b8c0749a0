"""A cluster on a loopback socket, as clients that nobody here wrote meet it."""

from __future__ import annotations

import asyncio

import pytest

from devstack.gateway import Gateway
from runtime.clock import SystemClock
from tests.kit import bpmn as b
from tests.kit.cluster import Cluster

PROCESS = b.document(
    b.process(
        b.start(),
        b.service("one", type="completes"),
        b.service("two", type="fails"),
        b.service("three", type="throws"),
        b.boundary("caught", "three", b.error("e1")),
        b.service("four", type="streams", task_headers={"greeting": "hello"}),
        b.end(),
        b.end("never"),
        b.chain("start", "one", "two", "three", "never"),
        b.chain("caught", "four", "end"),
        id="foreign",
    ),
    b.process(b.start(), b.service("wait", type="nobody"), b.chain("start", "wait"), id="waits"),
    errors={"e1": "E1"},
)


@pytest.fixture
async def cluster():
    """A cluster and the port of its gateway."""
    cluster = Cluster(SystemClock())
    gateway = Gateway(cluster.engine, SystemClock())
    port = await gateway.start(0)
    running = asyncio.create_task(cluster.engine.run())
    yield cluster, port
    await gateway.stop()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def process_file(tmp_path):
    """The process that the clients deploy and work on."""
    path = tmp_path / "foreign.bpmn"
    path.write_bytes(PROCESS)
    return path
