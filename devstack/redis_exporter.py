"""Writes records to Redis streams in the form of the community's zeebe-redis-exporter (JSON)."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

from devstack.records import Record
from runtime.backoff import Backoff, Random
from runtime.clock import Clock

_BATCH = 250
_KEPT_RECORDS = 1_000_000


class RedisExporter:
    """Adds each record to the stream of its value type, such as `zeebe:USER_TASK`, in order.

    `log.subscribe(exporter.add)` hands it records, `run` sends them. Like the original it sends a
    whole batch again when an answer is missing, so that entries may come twice under new ids, and
    it removes entries that are older than their time to live, read or not.

    Args:
        url: of the server, `redis://host:6379`.
        clock: for times to live and the back-off.
        random: its jitter.
        name: what the streams' keys begin with.
        max_ttl_s: how long entries stay; 0 keeps them. The original's default is 300.
        cleanup_s: how often they are removed.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        random: Random,
        *,
        name: str = "zeebe",
        max_ttl_s: float = 300.0,
        cleanup_s: float = 60.0,
    ) -> None:
        self._url = url
        self._clock = clock
        self._random = random
        self._name = name
        self._max_ttl_s = max_ttl_s
        self._cleanup_s = cleanup_s
        self._backoff = Backoff(first_s=0.1, cap_s=2.0)
        self._streams: set[str] = set()
        self._waiting: deque[tuple[str, dict[bytes, bytes]]] = deque()
        self._arrival = asyncio.Event()

    def add(self, record: Record) -> None:
        """Send this record too.

        Raises:
            BufferError: a million records wait already.
        """
        if len(self._waiting) >= _KEPT_RECORDS:
            raise BufferError("a million records wait for Redis; start it")
        stream = f"{self._name}:{record.value_type}"
        # The original names the only field by the time of its export.
        self._waiting.append((stream, {str(self._clock.now_ms()).encode(): record.to_json()}))
        self._arrival.set()

    async def run(self) -> None:
        """Send what was added and remove what is old, until cancelled."""
        client = redis.asyncio.Redis.from_url(self._url)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(client))
                if self._max_ttl_s:
                    group.create_task(self._clean_up(client))
        finally:
            await client.aclose()

    async def _send(self, client: Any) -> None:  # noqa: ANN401 - the library's own type is partial
        attempt = 0
        while True:
            while not self._waiting:
                self._arrival.clear()
                await self._arrival.wait()
            batch = [self._waiting[n] for n in range(min(_BATCH, len(self._waiting)))]
            try:
                async with client.pipeline(transaction=False) as pipeline:
                    for stream, fields in batch:
                        pipeline.xadd(stream, fields)
                    await pipeline.execute()
            except (RedisError, OSError):
                attempt += 1
                await self._clock.sleep(self._backoff.delay_s(attempt, self._random))
                continue
            attempt = 0
            self._streams.update(stream for stream, _ in batch)
            for _ in batch:
                self._waiting.popleft()

    async def _clean_up(self, client: Any) -> None:  # noqa: ANN401 - as above
        while True:
            await self._clock.sleep(self._cleanup_s)
            oldest_ms = self._clock.now_ms() - int(self._max_ttl_s * 1000)
            for stream in tuple(self._streams):
                try:
                    await client.xtrim(stream, minid=oldest_ms, approximate=False)
                except (RedisError, OSError):
                    break
