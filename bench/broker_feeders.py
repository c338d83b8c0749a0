"""Real brokers for `bench.kill`: a redis-server and a Kafka node of the run's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped] # the library has no types
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped] # as above

from tests.kit.kafka.broker import kafka_broker
from tests.kit.redis_server import RedisServer, redis_server


class RedisFeeder:
    """Adds entries as the community's exporter does: a stream for each value type."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self.environ = {"APP_INTEGRATIONS_SOURCE": server.url}

    async def feed(self, records: Sequence[bytes]) -> None:
        """Write them in one turn, in order."""
        async with self._server.client.pipeline(transaction=False) as pipeline:
            for raw in records:
                stream = f"zeebe:{orjson.loads(raw)['valueType']}"
                pipeline.xadd(stream, {"1700000000000": raw})
            await pipeline.execute()


@asynccontextmanager
async def redis(directory: Path) -> AsyncIterator[RedisFeeder]:
    """A Redis on a free port."""
    async with redis_server(directory) as server:
        yield RedisFeeder(server)


class KafkaFeeder:
    """Sends messages as the community's exporter does: a transaction, by partition."""

    def __init__(self, producer: AIOKafkaProducer, server: str) -> None:
        self._producer = producer
        self.environ = {"APP_INTEGRATIONS_SOURCE": f"kafka://{server}/zeebe"}

    async def feed(self, records: Sequence[bytes]) -> None:
        """Write them in one transaction."""
        async with self._producer.transaction():
            for raw in records:
                record = orjson.loads(raw)
                key = {"partitionId": record["partitionId"], "position": record["position"]}
                await self._producer.send(
                    "zeebe", raw, key=orjson.dumps(key), partition=record["partitionId"] % 2
                )


@asynccontextmanager
async def kafka(directory: Path) -> AsyncIterator[KafkaFeeder]:
    """A Kafka node on a free port, with a topic of two partitions."""
    with kafka_broker(directory) as broker:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.server)
        await admin.start()
        await admin.create_topics([NewTopic("zeebe", 2, 1)])
        await admin.close()
        async with AIOKafkaProducer(
            bootstrap_servers=broker.server, transactional_id="exporter"
        ) as producer:
            yield KafkaFeeder(producer, broker.server)
