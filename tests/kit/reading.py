"""A lane's part in a test, in real time: read a partition, and do what was read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from exporter.progress import Progress
from exporter.record import Record
from exporter.sources import Chunk, Source
from tests.kit.waiting import PATIENCE_S, eventually


@dataclass
class Reader:
    """One partition that is read in the background, as fast as it comes or when told to.

    Attributes:
        progress: How far a lane is that has done all of it.
        failure: What `read` raised.
        ended: Whether `read` came to an end by itself.
    """

    partition_id: int
    progress: Progress
    chunks: list[Chunk] = field(default_factory=list)
    unconfirmed: int = 0
    failure: Exception | None = None
    ended: bool = False

    @property
    def records(self) -> list[Any]:
        return [record for chunk in self.chunks for record in chunk.records]

    @property
    def positions(self) -> list[int]:
        return [record.position for record in self.records]

    async def until(self, last: int, within_s: float = PATIENCE_S) -> None:
        """Wait until a record with position `last` was read, and confirmed where that is done."""
        await eventually(lambda: self.has(last) or self.failure, within_s)
        if self.failure is not None:
            raise self.failure

    def has(self, last: int) -> bool:
        """Whether a record with position `last` was read, and all is confirmed that is to be."""
        return last in self.positions and not self.unconfirmed

    def take(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)
        done = [record.position for record in chunk.records if isinstance(record, Record)]
        self.progress = replace(
            self.progress,
            position=max([self.progress.position, *done]),
            bookmark=chunk.bookmark,
        )


@asynccontextmanager
async def reader(
    source: Source,
    partition_id: int = 1,
    progress: Progress | None = None,
    *,
    confirms: bool = False,
) -> AsyncIterator[Reader]:
    """Read while the block runs; `confirms` acknowledges each chunk."""
    read = Reader(partition_id, progress or Progress())

    async def run() -> None:
        try:
            async for chunk in source.read(partition_id, read.progress):
                read.unconfirmed += confirms
                read.take(chunk)
                if confirms:
                    await source.acknowledge(partition_id, read.progress)
                    read.unconfirmed -= 1
            read.ended = True
        except Exception as error:  # noqa: BLE001 - the test looks at it
            read.failure = error

    task = asyncio.create_task(run())
    try:
        yield read
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def partitions(source: Source, *expected: int) -> AsyncIterator[list[int]]:
    """Keep taking note of partitions; the block begins when the expected ones are there."""
    appeared: list[int] = []

    async def run() -> None:
        async for partition_id in source.partitions():
            appeared.append(partition_id)  # noqa: PERF401 - each at once

    task = asyncio.create_task(run())
    try:
        await eventually(lambda: set(expected) <= set(appeared) or task.done())
        if task.done():
            task.result()
        yield appeared
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def in_order(positions: Iterable[int]) -> list[int]:
    """What is left once a lane dropped repeats: positions that stand above all before them."""
    kept: list[int] = []
    for position in positions:
        if not kept or position > kept[-1]:
            kept.append(position)
    return kept
