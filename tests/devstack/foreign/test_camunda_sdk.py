"""Camunda's own Node SDK drives the cluster."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import orjson
import pytest

from tests.kit.waiting import PATIENCE_S

_SCRIPT = Path(__file__).with_name("camunda_sdk.mjs")


@pytest.mark.slow
async def test_node_sdk_deploys_and_works(cluster, process_file):
    """The SDK deploys, creates with result, completes, fails, throws, streams and is refused."""
    engine, port = cluster
    node = shutil.which("node")
    assert node is not None, "node is needed: it is listed among the tests' requirements"
    client = await asyncio.create_subprocess_exec(
        node,
        str(_SCRIPT),
        f"127.0.0.1:{port}",
        str(process_file),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_S):
        output, errors = await client.communicate()
    assert client.returncode == 0, errors.decode()
    seen = orjson.loads(output.splitlines()[-1])
    assert seen["deployed"] == "foreign"
    assert seen["version"] == 1
    assert seen["partitions"] == 1
    assert seen["completed"] == [21]
    assert seen["failed"] == 2
    assert seen["thrown"] == 1
    assert seen["streamed"] == 1
    assert seen["result"] == {
        "amount": 21,
        "doubled": 42,
        "retriesLeft": 2,
        "why": "E1",
        "header": "hello",
    }
    assert seen["refusals"] == [5, 5, 5]
    assert engine.remembers == 0
