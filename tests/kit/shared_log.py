"""A source that several processes share, as Kafka and Redis are: one log, and what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from typing_extensions import override

from exporter.errors import SourceUnavailable
from exporter.progress import Progress
from exporter.record import Sieve
from exporter.sources import Chunk, Source, SourceOptions


class SharedLog:
    """Partition 1, and the memory of how far it is done.

    Attributes:
        lines: The records.
        told: Every progress that was acknowledged, in order.
        is_away: Whether nothing can be acknowledged.
        taken: Set while the partition is taken away from whoever reads it.
        returned: Set once to give it back.
    """

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.told: list[Progress] = []
        self.is_away = False
        self.taken = asyncio.Event()
        self.returned = asyncio.Event()

    @asynccontextmanager
    async def open(self, options: SourceOptions) -> AsyncIterator[Source]:
        """A member of those that share it."""
        yield _Member(self, options.sieve)


class _Member(Source):
    shared = True

    def __init__(self, log: SharedLog, sieve: Sieve) -> None:
        self._log = log
        self._sieve = sieve

    @override
    async def partitions(self) -> AsyncIterator[int]:
        while True:
            yield 1
            await self._log.returned.wait()
            self._log.returned.clear()
            self._log.taken.clear()

    @override
    async def progress(self, partition_id: int) -> Progress | None:
        return self._log.told[-1] if self._log.told else None

    @override
    async def read(self, partition_id: int, progress: Progress) -> AsyncIterator[Chunk]:
        begin = int(progress.bookmark or 0)
        yield Chunk(self._sieve.lines(self._log.lines[begin:]), str(len(self._log.lines)))
        await self._log.taken.wait()

    @override
    async def acknowledge(self, partition_id: int, progress: Progress) -> None:
        if self._log.is_away:
            raise SourceUnavailable("the log is away")
        self._log.told.append(progress)

    @override
    def facts(self) -> Mapping[str, str | int | float | bool | None]:
        return {}
