"""The exporter killed at random moments while it reads from a real Redis and a real Kafka.

The whole number of kills is for `KILLS=200` with Redis and `KILLS=20` with Kafka; by default it is
a tenth of that.
"""

from __future__ import annotations

import os

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from devstack.stack import Stack, StackOptions
from tests.kit.kafka.broker import kafka_broker
from tests.kit.kafka.exporting import exporting
from tests.kit.kill_runs import (
    UserTasks,
    environment_of,
    kill_runs,
)
from tests.kit.redis_server import redis_server
from tests.kit.running import running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

KILLS = os.environ.get("KILLS")


def of_partition(told, partition_id):
    return [(key, intent) for partition, key, intent in told if partition == partition_id]


def check(tasks, outcome):
    """Nothing lost, order kept, repeats alike and no more than one a lane for each kill."""
    for partition_id in (1, 2):
        told, arrived = (of_partition(each, partition_id) for each in (tasks.told, outcome.arrived))
        assert arrived == told
    assert outcome.changed == 0
    assert outcome.repeats <= 2 * outcome.kills


async def test_redis(tmp_path, record_property):
    """Both partitions share a stream; each event arrives once, in the log's order."""
    async with redis_server(tmp_path) as server:
        options = StackOptions(port_base=0, partitions=2, redis_url=server.url)
        async with Stack.start(options) as stack:
            tasks = UserTasks(stack)
            environment = environment_of(stack, server.url, tmp_path / "state")
            outcome = await kill_runs(
                stack, tasks, environment, log=tmp_path / "log", kills=int(KILLS or 20), seed=13
            )
        pending = await server.client.xpending("zeebe:USER_TASK", "app-integrations-exporter")
    record_property("redis", outcome.row)
    check(tasks, outcome)
    assert pending["pending"] == 0


async def test_kafka(tmp_path, record_property):
    """Each partition has a place in the topic; each event arrives once, in the log's order."""
    with kafka_broker(tmp_path) as broker:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.server)
        await admin.start()
        await admin.create_topics([NewTopic("zeebe", 2, 1)])
        await admin.close()
        async with (
            Stack.start(StackOptions(port_base=0, partitions=2)) as stack,
            running(exporting(stack.log, broker.server)),
        ):
            tasks = UserTasks(stack)
            source = f"kafka://{broker.server}/zeebe"
            environment = environment_of(stack, source, tmp_path / "state")
            outcome = await kill_runs(
                stack, tasks, environment, log=tmp_path / "log", kills=int(KILLS or 2), seed=17
            )
    record_property("kafka", outcome.row)
    check(tasks, outcome)
