"""The log that several streams make together: one reader feeds the lanes of all partitions.

    ownership taken → how far the lanes are, from the hash → turns of reading, until it is lost

While no lane wants more, nothing is read.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing

import structlog
from typing_extensions import override

from exporter.errors import SourceUnavailable
from exporter.progress import Progress
from exporter.record import UNKNOWN_PARTITION
from exporter.sources import Chunk, SourceOptions
from exporter.sources.redis_streams.client import Client
from exporter.sources.redis_streams.entries import Cut, Entry
from exporter.sources.redis_streams.lanes import Lane, Past
from exporter.sources.redis_streams.ownership import RENEW_S, Ownership
from exporter.sources.redis_streams.reader import Reader
from exporter.sources.redis_streams.sifting import Sifter
from exporter.sources.redis_streams.trimming import Backlog
from exporter.sources.remembered import from_text, to_text
from exporter.waiting import until
from runtime.backoff import Backoff

_STANDBY_S = 1.0
_MOST_UNCONFIRMED = 50_000
_BACKOFF = Backoff(first_s=0.2, cap_s=5.0)
_OTHERS = "another process reads from Redis now"

_log = structlog.get_logger("exporter.sources.redis")


class StreamLog(Past):
    """Reads the streams while this process owns them, and feeds the lanes.

    Args:
        client: Redis.
        ownership: Whether it is this process that reads.
        keys: Keys of the streams by value type.
        memory: Key of the hash with each partition's progress.
        options: Of the source.

    Attributes:
        appeared: Partitions in the order of their appearance.
    """

    def __init__(
        self,
        client: Client,
        ownership: Ownership,
        keys: Mapping[str, str],
        memory: str,
        options: SourceOptions,
    ) -> None:
        self.appeared: asyncio.Queue[int] = asyncio.Queue()
        self._client = client
        self._ownership = ownership
        self._keys = keys
        self._memory = memory
        self._clock = options.clock
        self._random = options.random
        self._observer = options.observer
        self._lanes: dict[int, Lane] = {}
        self._given = asyncio.Event()
        self._is_settled = False
        self._failures = 0
        self._in_hand: Sequence[Entry] = ()
        self._before = Cut({})
        self._reader = Reader(
            client,
            keys,
            Sifter(options),
            options.clock,
            observer=options.observer,
            report=self._report,
            backlog=self._backlog,
        )

    @property
    @override
    def end(self) -> Cut:
        return self._reader.end

    @override
    def history(self, begin: Cut, end: Cut) -> AsyncIterator[tuple[list[Entry], Cut]]:
        return self._reader.history(begin, end)

    @override
    def lost(self, partition_id: int, count: int) -> None:
        self._observer.gap(
            partition_id, f"{count} records were removed from Redis before they were delivered"
        )

    @property
    def behind(self) -> int:
        """Entries that are not done, as far as known."""
        return self._reader.unread + sum(lane.waiting for lane in self._lanes.values())

    @property
    def is_reading(self) -> bool:
        """Whether it is this process that reads."""
        return self._ownership.is_held

    async def run(self) -> None:
        """Read whenever this process is the owner, for ever.

        Raises:
            SourceRefused: Redis will not have us.
        """
        try:
            while True:
                try:
                    await self._own()
                except SourceUnavailable as error:
                    self._failures += 1
                    self._is_settled = False
                    for lane in self._lanes.values():
                        lane.fail(error)
                    await self._clock.sleep(_BACKOFF.delay_s(self._failures, self._random))
        finally:
            self._close_lanes()

    async def remembered(self, partition_id: int) -> Progress | None:
        """How far a partition is, as whoever read it last has written down."""
        text = await self._client.call("HGET", self._memory, partition_id)
        return None if text is None else from_text(text)

    async def read(self, partition_id: int, bookmark: str) -> AsyncGenerator[Chunk, None]:
        """The chunks of a partition behind a bookmark, for as long as it is ours."""
        lane = self._lanes.get(partition_id)
        if lane is None:
            return
        told = Cut.parse(bookmark)
        begin = Cut({stream: told[stream] for stream in self._keys})
        async with aclosing(lane.read(begin, self)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def confirm(self, partition_id: int, progress: Progress) -> None:
        """Write down how far a partition is done, and confirm what lies before.

        Raises:
            SourceUnavailable: Redis is away, or another process reads now.
        """
        lane = self._lanes.get(partition_id)
        if lane is None or not self._ownership.is_held:
            raise SourceUnavailable(_OTHERS)
        end = Cut.parse(progress.bookmark)
        confirming = [
            command
            for stream, ids in lane.confirmed(end).items()
            for command in self._client.confirming(self._keys[stream], ids)
        ]
        if not await self._ownership.write(partition_id, to_text(progress), confirming):
            raise SourceUnavailable(_OTHERS)
        lane.forget(end)

    async def _own(self) -> None:
        """Become the owner if nobody is, and read for as long as that lasts."""
        if not self._ownership.is_held:
            self._close_lanes()
            if not await self._ownership.take():
                await self._clock.sleep(_STANDBY_S)
                return
            await self._begin()
        while self._ownership.is_held:
            if self._ownership.is_due and not await self._ownership.renew():
                _log.warning("stands by", reason=_OTHERS)
                return
            if not self._is_settled:
                await self._reader.settle()
                self._is_settled = True
            if self._wants_more():
                if not self._in_hand:
                    # Kept until the lanes have it, since the reader has passed it already.
                    self._before = self._reader.end
                    self._in_hand = await self._reader.read()
                await self._hand_out(self._in_hand)
                self._failures = 0
            elif not await until(self._given, RENEW_S, self._clock):
                await self._reader.look()
            self._given.clear()

    async def _begin(self) -> None:
        """Find out how far the lanes are, and begin with the one that is furthest behind."""
        rows = await self._client.call("HGETALL", self._memory)
        told = dict(zip(map(int, rows[::2]), map(from_text, rows[1::2]), strict=True))
        cuts = [Cut.parse(progress.bookmark) if progress else Cut({}) for progress in told.values()]
        await self._reader.begin(Cut.lowest(cuts, self._keys))
        self._is_settled, self._in_hand = True, ()
        for partition_id in told:
            self._open(partition_id)
        _log.info("reads", streams=len(self._keys), partitions=len(told))

    async def _hand_out(self, entries: Sequence[Entry]) -> None:
        ours: dict[int, list[Entry]] = defaultdict(list)
        skipped: dict[str, list[bytes]] = defaultdict(list)
        for entry in entries:
            record = entry.record
            if record is None:
                skipped[entry.stream].append(entry.raw_id)
            else:
                ours[record.partition_id].append(entry)
        for partition_id in ours.keys() - self._lanes.keys():
            # Before anything behind its first record is done, or a restart might pass it over.
            begin = Progress(bookmark=str(self._before))
            if not await self._ownership.write(partition_id, to_text(begin)):
                return
            self._open(partition_id)
        went_by = sum(map(len, skipped.values()))
        for lane in self._lanes.values():
            lane.put(ours.get(lane.partition_id, ()), self._reader.end, went_by)
            went_by = 0  # counted once
        self._in_hand = ()
        for stream, ids in skipped.items():
            await self._client.call_all(self._client.confirming(self._keys[stream], ids))

    def _open(self, partition_id: int) -> None:
        self._lanes[partition_id] = Lane(partition_id, self._given)
        self.appeared.put_nowait(partition_id)

    def _close_lanes(self) -> None:
        for lane in self._lanes.values():
            lane.close()
        self._lanes.clear()
        while not self.appeared.empty():
            self.appeared.get_nowait()

    def _wants_more(self) -> bool:
        lanes = self._lanes.values()
        if any(lane.waiting >= _MOST_UNCONFIRMED for lane in lanes):
            return False
        return not lanes or any(lane.is_hungry for lane in lanes)

    def _backlog(self, stream: str) -> Backlog:
        parts = [lane.backlog(stream) for lane in self._lanes.values()]
        oldest = min((part.oldest for part in parts if part.oldest is not None), default=None)
        return Backlog(sum(part.waiting for part in parts), oldest)

    def _report(self, stream: str, reason: str) -> None:
        """Tell of a gap; whose the records were cannot be told once they are gone."""
        known = [partition_id for partition_id in self._lanes if partition_id != UNKNOWN_PARTITION]
        partition_id = known[0] if len(known) == 1 else UNKNOWN_PARTITION
        self._observer.gap(partition_id, f"stream {self._keys[stream]}: {reason}")
