"""Records in Redis streams, in the form of the community's exporter, on a real Redis."""

from __future__ import annotations

import orjson
import pytest

from devstack.engine import Resource
from devstack.records import Record
from devstack.redis_exporter import RedisExporter
from devstack.stack import Stack, StackOptions
from tests.kit.clock import FakeClock
from tests.kit.redis_server import redis_server
from tests.kit.running import running
from tests.kit.user_task import APPROVAL
from tests.kit.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
async def server(tmp_path):
    async with redis_server(tmp_path) as started:
        yield started


def task(position):
    return Record(position, -1, position, 1, 1, "EVENT", "USER_TASK", "CREATED", {})


async def positions(server, stream="zeebe:USER_TASK"):
    entries = await server.client.xrange(stream)
    return [orjson.loads(value)["position"] for _, fields in entries for value in fields.values()]


async def test_each_value_type_has_a_stream_of_entries_with_one_field(server):
    """The keys and entries are those that the community's exporter writes with format json."""
    options = StackOptions(port_base=0, redis_url=server.url)
    async with Stack.start(options) as stack:
        stack.engine.deploy([Resource("approval.bpmn", APPROVAL.encode())])
        stack.engine.create_instance(process_id="approval")
        while not await server.client.exists("zeebe:USER_TASK"):
            pass
        keys = await server.client.keys("zeebe:*")
        assert {b"zeebe:USER_TASK", b"zeebe:PROCESS_INSTANCE", b"zeebe:PROCESS"} <= set(keys)
        for _, fields in await server.client.xrange("zeebe:USER_TASK"):
            ((name, value),) = fields.items()
            assert name.isdigit()
            assert orjson.loads(value)["valueType"] == "USER_TASK"


async def test_what_redis_did_not_take_is_sent_again_in_order(server):
    """Redis is away for a while: nothing is missed, and order holds."""
    clock = FakeClock()
    exporter = RedisExporter(server.url, clock, lambda: 0.5)
    await server.stop()
    for position in range(1, 600):
        exporter.add(task(position))
    async with running(exporter.run()):
        await eventually(lambda: len(clock.sleeping_s) == 2)
        await server.start()
        while len(await server.client.xrange("zeebe:USER_TASK")) < 599:
            await clock.advance(0.5)
    assert await positions(server) == list(range(1, 600))


async def test_entries_are_removed_when_their_time_is_up(server):
    """The original's cleaning is what makes relays lose records, so it is here as well."""
    clock = FakeClock(now_ms=4_000_000_000_000)
    exporter = RedisExporter(server.url, clock, lambda: 0.5)
    exporter.add(task(1))
    async with running(exporter.run()):
        while not await server.client.exists("zeebe:USER_TASK"):
            pass
        await clock.advance(60)
        while await server.client.xlen("zeebe:USER_TASK"):
            pass
