from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from devstack.elasticsearch import Documents, Elasticsearch, RecordExporter
from devstack.record_file import RecordFile
from devstack.record_push import RecordPush
from devstack.records import RecordLog
from devstack.redis_exporter import RedisExporter

if TYPE_CHECKING:
    # The stack is made of these; only the types of its options are needed here.
    from devstack.stack import StackOptions


class Exports:
    """Where a cluster's records go beside the APIs: a file, a receiver, a Redis, an Elasticsearch.

    Attributes:
        records: the path of the file, None without one.
        push: what posts records, None when nothing does.
        redis: what writes into a Redis, None without one.
        exporter: what writes into the Elasticsearch, None without one.
        documents: what is in it.
        elasticsearch: its HTTP API.
    """

    def __init__(self, log: RecordLog) -> None:
        self._log = log
        self.records: Path | None = None
        self.push: RecordPush | None = None
        self.redis: RedisExporter | None = None
        self.exporter: RecordExporter | None = None
        self.documents: Documents | None = None
        self.elasticsearch: Elasticsearch | None = None

    @classmethod
    def of(cls, options: StackOptions, log: RecordLog) -> Exports:
        """What the options ask for."""
        exports = cls(log)
        exports.records = options.records
        if options.push_url is not None:
            exports.push = RecordPush(
                options.push_url, options.push_key, options.clock, random.random
            )
            log.subscribe(exports.push.add)
        if options.redis_url is not None:
            exports.redis = RedisExporter(options.redis_url, options.clock, random.random)
            log.subscribe(exports.redis.add)
        if options.elasticsearch:
            exports.documents = Documents(options.clock, options.refresh_s)
            exports.exporter = RecordExporter(exports.documents)
            exports.elasticsearch = Elasticsearch(exports.documents)
            log.subscribe(exports.exporter.export)
        return exports

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write and send while the block runs.

        Raises:
            OSError: the file cannot be opened for writing.
        """
        file = None if self.records is None else RecordFile(self.records)
        if file is not None:
            self._log.subscribe(file.write)
        senders = [sender for sender in (self.push, self.redis) if sender is not None]
        sending = [asyncio.create_task(sender.run()) for sender in senders]
        try:
            yield
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
            if file is not None:
                file.close()
