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
from tests.kit.kill_runs import UserTasks, environment_of, exporter_process, kill_runs
from tests.kit.redis_server import redis_server
from tests.kit.running import running
from tests.kit.waiting import eventually

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


KINDS = {
    "USER_TASK": ("CREATED", "ASSIGNED", "COMPLETED", "CANCELED"),
    "PROCESS_INSTANCE": ("ELEMENT_ACTIVATED", "ELEMENT_COMPLETED", "ELEMENT_TERMINATED"),
    "JOB": ("CREATED", "COMPLETED", "FAILED", "ERROR_THROWN"),
}


async def test_redis_with_several_kinds_of_events(tmp_path):
    """Each kind has a stream of its own; a partition's events arrive in the log's order."""
    told, arrived = [], []

    def read(record):
        if record.record_type == "EVENT" and record.intent in KINDS.get(record.value_type, ()):
            told.append((record.partition_id, record.position))

    async with redis_server(tmp_path) as server:
        options = StackOptions(port_base=0, partitions=2, redis_url=server.url)
        async with Stack.start(options) as stack:
            stack.log.subscribe(read)
            tasks = UserTasks(stack)
            environment = environment_of(stack, server.url, tmp_path / "state") | {
                "APP_INTEGRATIONS_EVENTS": ",".join(KINDS),
                "APP_INTEGRATIONS_EVENT_METADATA": "true",
            }
            for _ in range(3):
                async with exporter_process(environment, tmp_path / "log"):
                    seen = len(stack.backend.deliveries)
                    for _ in range(50):
                        tasks.start()
                    await eventually(lambda seen=seen: len(stack.backend.deliveries) > seen)
            async with exporter_process(environment, tmp_path / "log"):
                await eventually(lambda: len(firsts(stack)) >= len(told))
            arrived = firsts(stack)
    for partition_id in (1, 2):
        assert [at for at in arrived if at[0] == partition_id] == [
            at for at in told if at[0] == partition_id
        ]


def firsts(stack):
    """Partition and position of each event, without what came again under the same key."""
    events = (each.event for each in stack.backend.deliveries if not each.is_repeat)
    return [(event["partitionId"], event["position"]) for event in events]


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
