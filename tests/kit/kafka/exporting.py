from __future__ import annotations

import asyncio

import orjson
from aiokafka import AIOKafkaProducer

from devstack.records import Record, RecordLog


async def exporting(log: RecordLog, server: str, topic: str = "zeebe", width: int = 2) -> None:
    """Write a cluster's records to Kafka as the community's exporter does, until cancelled.

    Each turn is a transaction; keys name partition and position; a partition goes where its number
    modulo the topic's width says.
    """
    records: asyncio.Queue[Record] = asyncio.Queue()
    log.subscribe(records.put_nowait)
    async with AIOKafkaProducer(bootstrap_servers=server, transactional_id="exporter") as producer:
        while True:
            batch = [await records.get()]
            while not records.empty():
                batch.append(records.get_nowait())
            async with producer.transaction():
                for record in batch:
                    key = {"partitionId": record.partition_id, "position": record.position}
                    await producer.send(
                        topic,
                        record.to_json(),
                        key=orjson.dumps(key),
                        partition=record.partition_id % width,
                    )
