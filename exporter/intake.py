"""The first half of a lane: what a source gives, as events in the backlog."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import cast

import msgspec
import structlog

from exporter import deadletter
from exporter.backlog import Backlog
from exporter.errors import DeadLettersFull, RecordError, SourceUnavailable, StateUnavailable
from exporter.event import Event, to_event
from exporter.metrics import Metrics
from exporter.obstacles import Obstacles
from exporter.progress import Progress
from exporter.record import Fault, Record, Sifted, Unreadable
from exporter.seen import Place, Seen
from exporter.sources import Chunk, Source
from exporter.state import State
from runtime.clock import Clock


class Intake:
    """Reads a partition for as long as it is ours.

    Args:
        partition_id: Which one.
        progress: Where to begin.
        source: Where records come from.
        backlog: Where events go; while it is full, the source is not read.
        state: Where records are set aside that cannot become events.
        obstacles: Told when the source or the state file is in the way.
        metrics: What was read.
        clock: Time.
    """

    def __init__(
        self,
        partition_id: int,
        progress: Progress,
        source: Source,
        backlog: Backlog,
        *,
        state: State,
        obstacles: Obstacles,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._partition_id = partition_id
        self._source = source
        self._backlog = backlog
        self._state = state
        self._obstacles = obstacles
        self._metrics = metrics
        self._clock = clock
        self._seen = Seen(progress)
        self._failures = 0
        self._log = structlog.get_logger("exporter.intake").bind(partition=partition_id)

    async def run(self) -> None:
        """Read until the partition is taken away from this process.

        Raises:
            SourceRefused: The source will not work as it is set up.
            StateUnusable: The state file is broken.
        """
        while True:
            try:
                await self._read()
            except SourceUnavailable as error:
                self._failures += 1
                if error.retry_after_s is not None:
                    await self._obstacles.wait("source", str(error), error.retry_after_s)
                else:
                    await self._obstacles.back_off("source", str(error), self._failures)
            else:
                return

    async def _read(self) -> None:
        begin = Progress(self._seen.last, self._backlog.open.bookmark)
        # Sources are generators, which must be closed when they are left.
        chunks = cast("AsyncGenerator[Chunk, None]", self._source.read(self._partition_id, begin))
        async with aclosing(chunks):
            async for chunk in chunks:
                self._failures = 0
                self._obstacles.passed("source")
                await self._absorb(chunk)

    async def _absorb(self, chunk: Chunk) -> None:
        if chunk.skipped:
            self._metrics.skipped.inc(chunk.skipped)
        events: list[Event] = []
        for sifted in chunk.records:
            event = self._event(sifted)
            if isinstance(event, Event):
                events.append(event)
            elif event is not None:
                await self._pass_on(events)  # setting aside may have to wait, and they need not
                events = []
                await self._put_aside(event)
        await self._pass_on(events)
        self._backlog.open.bookmark = chunk.bookmark

    async def _pass_on(self, events: Sequence[Event]) -> None:
        if events:
            await self._backlog.put(events)

    def _event(self, sifted: Sifted) -> Event | Unreadable | None:
        """What becomes of a record; None when it is not asked for or came before."""
        if isinstance(sifted, Unreadable):
            return sifted
        if sifted.position <= self._seen.last:
            return self._not_next(sifted)
        self._seen.add(sifted)
        selection = self._backlog.open.selection(sifted.position)
        if not selection.takes(sifted):
            return None
        try:
            return to_event(sifted, metadata=selection.metadata)
        except RecordError as error:
            return _misfit(sifted, error)

    def _not_next(self, record: Record) -> Unreadable | None:
        if self._seen.place(record) is Place.BACK:
            return _gone_back(record)
        self._metrics.duplicates.inc()
        return None

    async def _put_aside(self, record: Unreadable) -> None:
        self._metrics.unreadable.labels(record.fault).inc()
        self._log.warning(
            "unreadable record",
            position=record.position,
            fault=record.fault,
            reason=record.reason,
            set_aside=record.is_user_task,
        )
        if not record.is_user_task:
            return
        letter = deadletter.of_record(record, now_ms=self._clock.now_ms())
        await self._obstacles.insist(
            "dead letters",
            lambda: self._obstacles.insist(
                "state", lambda: self._state.set_aside([letter]), StateUnavailable
            ),
            DeadLettersFull,
        )
        self._metrics.set_aside.labels("record").inc()


def _gone_back(record: Record) -> Unreadable:
    return Unreadable(
        record.partition_id,
        record.position,
        Fault.WENT_BACK,
        "its position is before those that are done, and it is none of them; when the cluster was "
        "set up anew, start once with --from-beginning",
        msgspec.json.encode(record),
    )


def _misfit(record: Record, error: RecordError) -> Unreadable:
    return Unreadable(
        record.partition_id,
        record.position,
        Fault.VALUE,
        str(error),
        msgspec.json.encode(record),
    )
