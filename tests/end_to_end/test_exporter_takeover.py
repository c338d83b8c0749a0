"""Two exporters on state directories of their own: one dies, and the other brings the rest."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from devstack.stack import Stack, StackOptions
from tests.kit import kill_runs
from tests.kit.kafka.broker import kafka_broker
from tests.kit.kafka.exporting import exporting
from tests.kit.redis_server import redis_server
from tests.kit.running import running
from tests.kit.waiting import PATIENCE_S, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@asynccontextmanager
async def redis(directory):
    """A cluster whose records go to a Redis."""
    async with redis_server(directory) as server:
        options = StackOptions(port_base=0, partitions=2, redis_url=server.url)
        async with Stack.start(options) as stack:
            yield stack, server.url


@asynccontextmanager
async def kafka(directory):
    """A cluster whose records go to a Kafka."""
    async with AsyncExitStack() as exits:
        broker = exits.enter_context(kafka_broker(directory))
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.server)
        await admin.start()
        await admin.create_topics([NewTopic("zeebe", 2, 1)])
        await admin.close()
        stack = await exits.enter_async_context(
            Stack.start(StackOptions(port_base=0, partitions=2))
        )
        await exits.enter_async_context(running(exporting(stack.log, broker.server)))
        yield stack, f"kafka://{broker.server}/zeebe"


async def bring(stack, tasks, count):
    """Begin user tasks, and wait until all there is has arrived."""
    for _ in range(count):
        tasks.start()
        await asyncio.sleep(0.01)
    await eventually(
        lambda: (
            tasks.are_done and len(kill_runs._first(stack.backend.deliveries)) == 2 * tasks.begun
        ),
        3 * PATIENCE_S,
    )


@pytest.mark.parametrize("source", [redis, kafka], ids=["redis", "kafka"])
async def test_the_other_one_goes_on_where_the_dead_one_was(source, tmp_path):
    """No event is lost or out of order, and what comes twice has the key that it had."""
    async with AsyncExitStack() as exits:
        stack, url = await exits.enter_async_context(source(tmp_path))
        tasks = kill_runs.UserTasks(stack)
        processes = []
        for name in ("one", "two"):
            environment = kill_runs.environment_of(stack, url, tmp_path / name)
            log = tmp_path / f"{name}.log"
            processes.append(
                await exits.enter_async_context(kill_runs.exporter_process(environment, log))
            )
            await bring(stack, tasks, 20)
        for _ in range(30):
            tasks.start()
        await asyncio.sleep(0.1)
        processes[0].kill()
        await bring(stack, tasks, 30)
        outcome = kill_runs._outcome(1, tasks, stack.backend.deliveries)
    assert outcome.changed == 0
    for partition_id in (1, 2):
        told, arrived = (
            [(key, intent) for partition, key, intent in each if partition == partition_id]
            for each in (tasks.told, outcome.arrived)
        )
        assert arrived == told
