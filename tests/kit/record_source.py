"""A source as a lane sees it: its options, what it noticed, and reading on a clock of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yarl import URL

from exporter.event import Selection, intents_of
from exporter.progress import Progress
from exporter.record import Record, Sieve
from exporter.sources import Chunk, Credentials, Source, SourceOptions
from tests.kit.clock import FakeClock
from tests.kit.loop import quiet


@dataclass
class Noticed:
    """A `SourceObserver` that keeps what it is told."""

    gaps: list[tuple[int, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def gap(self, partition_id: int, reason: str) -> None:
        self.gaps.append((partition_id, reason))

    def warned(self, reason: str) -> None:
        self.warnings.append(reason)


def options_of(url: str, clock: Any, state_dir: Path, **changes: Any) -> SourceOptions:
    """What a source is made from; `kinds` names the value types that are asked for."""
    kinds = changes.pop("kinds", ("USER_TASK",))
    fields = {
        "url": URL(url),
        "credentials": Credentials(),
        "sieve": Sieve(intents_of([Selection(kinds)])),
        "state_dir": state_dir,
        "max_record_bytes": 1 << 20,
        "inbox_max_bytes": 64 << 20,
        "clock": clock,
        "random": lambda: 0.5,
        "observer": Noticed(),
    }
    return SourceOptions(**fields | changes)


@dataclass
class Reading:
    """One `read` of a partition that runs in the background."""

    clock: FakeClock
    task: asyncio.Task[None]
    chunks: list[Chunk]

    @property
    def records(self) -> list[Any]:
        return [record for chunk in self.chunks for record in chunk.records]

    @property
    def positions(self) -> list[int]:
        return [record.position for record in self.records]

    @property
    def progress(self) -> Progress:
        """How far a lane is that has done all of it."""
        done = [record.position for record in self.records if isinstance(record, Record)]
        return Progress(max(done, default=-1), self.chunks[-1].bookmark if self.chunks else "")

    async def until(self, holds: Callable[[], object], step_s: float = 0.25) -> float:
        """Move the clock on until `holds()` is true or reading fails; gives the seconds it took."""
        took_s = 0.0
        while not holds():
            if self.task.done():
                self.task.result()
                raise AssertionError("reading has ended")
            assert took_s < 3600, "it takes too long"
            await self.pass_time(step_s)
            took_s += step_s
        return took_s

    async def pass_time(self, seconds: float) -> None:
        """Move the clock on from one sleeper to the next; sockets come to rest in between."""
        left_s = seconds
        while left_s > 0:
            step_s = min([left_s, *self.clock.sleeping_s[:1]])
            await self.clock.advance(step_s)
            await quiet()
            left_s -= step_s


@asynccontextmanager
async def reading(source: Source, clock: FakeClock, partition_id: int = 1, progress=None):
    """Read a partition in the background while the block runs."""
    chunks: list[Chunk] = []

    async def read() -> None:
        async for chunk in source.read(partition_id, progress or Progress()):
            chunks.append(chunk)  # noqa: PERF401 - what came before a failure counts

    task = asyncio.create_task(read())
    try:
        yield Reading(clock, task, chunks)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
