"""A member of the consumer group: what it is assigned, what it reads, what it commits.

assigned → offsets and metadata read → a shelf each, its lanes opened → turns of reading
revoked  → lanes closed → what is being sent is waited for, so that its end is committed → gone
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import structlog
from aiokafka import (  # type: ignore[import-untyped] # the library has no types
    AIOKafkaConsumer,
    ConsumerRebalanceListener,
    TopicPartition,
)
from aiokafka.errors import (  # type: ignore[import-untyped] # as above
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from typing_extensions import override

from exporter.errors import SourceRefused, SourceUnavailable
from exporter.progress import BEGINNING, Progress
from exporter.sources import Chunk, SourceOptions
from exporter.sources.kafka_topic.client import (
    Place,
    administration,
    consumption,
    partition_count,
    translated,
)
from exporter.sources.kafka_topic.shelf import Shelf, Sifter
from exporter.waiting import until
from runtime.backoff import Backoff

_TURN_MS = 200
_TURN_MESSAGES = 500
_LAST_WORDS_S = 5.0
_COMMIT_S = 10.0
_SILENCE_MS = 30_000
_TOPIC_S = 2.0
_BACKOFF = Backoff(first_s=0.2, cap_s=5.0)
_OTHERS = "the partition was given to another process"

_log = structlog.get_logger("exporter.sources.kafka")


class Member(ConsumerRebalanceListener):  # type: ignore[misc] # the library has no types
    """Reads what the group assigns to this process.

    Args:
        place: Topic and group.
        name: Of this member, the same after a restart.
        options: Of the source.

    Attributes:
        appeared: Zeebe's partitions, as they appear.
        shelves: The topic's partitions that are assigned to this process.
    """

    def __init__(self, place: Place, name: str, options: SourceOptions) -> None:
        self.appeared: asyncio.Queue[int] = asyncio.Queue()
        self.shelves: dict[int, Shelf] = {}
        self._place = place
        self._name = name
        self._options = options
        self._clock = options.clock
        self._consumer: AIOKafkaConsumer | None = None
        self._count = 0
        self._refusal: SourceRefused | None = None
        self._taken = asyncio.Event()
        self._committed = asyncio.Event()
        self._committing = asyncio.Lock()
        self._failures = 0

    async def run(self) -> None:
        """Be a member for ever; what fails is begun anew.

        Raises:
            SourceRefused: Kafka will not have us, or the topic cannot be read in order.
        """
        while True:
            try:
                await self._take_part()
            except SourceUnavailable as error:
                self._failures += 1
                _log.warning("begins anew", reason=str(error))
                await self._clock.sleep(_BACKOFF.delay_s(self._failures, self._options.random))

    def progress(self, partition_id: int) -> Progress | None:
        """How far a partition is, as it was committed."""
        shelf = self._shelf(partition_id)
        return None if shelf is None else shelf.remembered(shelf.lanes[partition_id])

    async def read(self, partition_id: int, bookmark: str) -> AsyncGenerator[Chunk, None]:
        """The chunks of a partition from a bookmark on, for as long as it is ours.

        Raises:
            SourceUnavailable: Kafka is away.
        """
        shelf = self._shelf(partition_id)
        if shelf is None:
            return
        begin = shelf.place(bookmark)
        if begin is None:
            begin = await self._beginning(shelf.number)
        async with aclosing(shelf.lanes[partition_id].read(begin)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def commit(self, partition_id: int, progress: Progress) -> None:
        """Commit how far a partition is done.

        Raises:
            SourceUnavailable: Kafka is away, or another process has the partition.
        """
        async with self._committing:
            shelf = self._shelf(partition_id)
            if shelf is None or self._consumer is None:
                raise SourceUnavailable(_OTHERS)
            lane = shelf.lanes[partition_id]
            if progress.bookmark == BEGINNING:
                # The user said to begin before what was committed, so nothing there is done.
                lane.start = await self._beginning(shelf.number)
            before, lane.done = lane.done, progress
            offsets = {self._partition(shelf.number): (shelf.offset, shelf.metadata)}
            try:
                with translated():
                    async with asyncio.timeout(_COMMIT_S):
                        await self._consumer.commit(offsets)
            except SourceUnavailable:
                lane.done = before
                raise
        self._committed.set()

    @override
    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        """Close the lanes, and leave those that send a little time to commit the end of it."""
        shelves = [self.shelves[at.partition] for at in revoked if at.partition in self.shelves]
        self._close(shelves)
        try:
            async with asyncio.timeout(_LAST_WORDS_S):
                while any(lane.is_sending for shelf in shelves for lane in shelf.lanes.values()):
                    self._committed.clear()
                    await self._committed.wait()
        except TimeoutError:
            _log.warning("a batch was still being sent when its partition was taken away")
        for shelf in shelves:
            self.shelves.pop(shelf.number, None)

    @override
    async def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        """Open the lanes that were left off there; an error ends the membership."""
        try:
            await self._assign(sorted(at.partition for at in assigned))
        except SourceRefused as error:
            self._refusal = error
        except SourceUnavailable as error:
            _log.warning("assignment failed", reason=str(error))
            self._count = 0  # begun anew at the next turn

    async def _assign(self, numbers: Sequence[int]) -> None:
        if not numbers:
            return
        partitions = [self._partition(number) for number in numbers]
        async with administration(self._place) as admin:
            with translated():
                committed = await admin.list_consumer_group_offsets(
                    self._place.group, partitions=partitions
                )
        for number, partition in zip(numbers, partitions, strict=True):
            told = committed.get(partition)
            known = told is not None and told.offset >= 0
            begin = told.offset if known else await self._beginning(number)
            self._open(number, begin, told.metadata if known else "")
        self._taken.set()
        _log.info("assigned", partitions=list(numbers))

    def _open(self, number: int, begin: int, metadata: str) -> None:
        options = self._options
        sifter = Sifter(options.sieve, options.max_record_bytes, number, self._count)
        shelf = Shelf(
            number,
            sifter,
            begin,
            appeared=lambda partition_id: self._appear(number, partition_id),
            taken=self._taken.set,
        )
        self.shelves[number] = shelf
        shelf.recall(metadata)
        self._seek(shelf, begin)

    def _appear(self, number: int, partition_id: int) -> None:
        for shelf in self.shelves.values():
            if shelf.number != number and partition_id in shelf.lanes:
                raise SourceRefused(
                    f"records of Zeebe's partition {partition_id} lie in the partitions "
                    f"{shelf.number} and {number} of the topic, so their order cannot be told; "
                    "when its number of partitions was changed, go on with a new topic"
                )
        self.appeared.put_nowait(partition_id)

    async def _take_part(self) -> None:
        """Join the group, and read until that fails."""
        while not (count := await partition_count(self._place)):
            _log.warning("there is no such topic yet", topic=self._place.topic)
            await self._clock.sleep(_TOPIC_S)
        self._count = count
        try:
            async with consumption(self._place, self._name, self) as consumer:
                self._consumer = consumer
                while self._count:
                    await self._turn(consumer)
                    self._failures = 0
            raise SourceUnavailable("Kafka did not tell the committed offsets")
        finally:
            self._consumer = None
            self._close(self.shelves.values())
            self.shelves.clear()
            while not self.appeared.empty():
                self.appeared.get_nowait()

    async def _turn(self, consumer: AIOKafkaConsumer) -> None:
        if self._refusal is not None:
            raise self._refusal
        hungry = self._hungry()
        if not hungry:
            # Asking for nothing tells the group that we are well, however long the backend is away.
            await consumer.getmany(self._partition(-1), timeout_ms=0)
            await until(self._taken, 1.0, self._clock)
            self._taken.clear()
            return
        for partition, messages in (await self._fetch(consumer, hungry)).items():
            shelf = self.shelves.get(partition.partition)
            if shelf is hungry[partition]:
                shelf.hand_out(messages)
            elif shelf is not None:  # it was assigned anew while we waited
                self._seek(shelf, shelf.next)

    def _hungry(self) -> dict[Any, Shelf]:
        """What to read on, each from where it is wanted."""
        hungry = {}
        for shelf in self.shelves.values():
            wanted = shelf.wanted
            if wanted is not None:
                hungry[self._partition(shelf.number)] = shelf
                if wanted != shelf.next:
                    self._seek(shelf, wanted)
        return hungry

    async def _fetch(
        self, consumer: AIOKafkaConsumer, hungry: Mapping[Any, Shelf]
    ) -> Mapping[Any, Sequence[Any]]:
        found: Mapping[Any, Sequence[Any]] = {}
        try:
            with translated():
                found = await consumer.getmany(
                    *hungry, timeout_ms=_TURN_MS, max_records=_TURN_MESSAGES
                )
        except SourceUnavailable as error:
            if isinstance(error.__cause__, OffsetOutOfRangeError):
                await self._skip_what_is_gone(hungry.values())
            elif not isinstance(error.__cause__, NoOffsetForPartitionError):
                raise  # that one only means that `_assign` had not yet told where to begin
        if not found:
            self._listen(consumer, hungry.values())
        return found

    def _listen(self, consumer: AIOKafkaConsumer, shelves: Collection[Shelf]) -> None:
        """Tell lanes when Kafka gives no sign; the library itself would ask on for ever."""
        for shelf in shelves:
            if self.shelves.get(shelf.number) is not shelf:
                continue
            answered_ms = consumer.last_poll_timestamp(self._partition(shelf.number))
            if answered_ms is None or self._clock.now_ms() - answered_ms < _SILENCE_MS:
                continue
            for lane in shelf.lanes.values():
                lane.fail(SourceUnavailable("Kafka has not answered for half a minute"))

    async def _skip_what_is_gone(self, shelves: Collection[Shelf]) -> None:
        """Go on behind records that Kafka removed before they were read, and tell of them."""
        for shelf in shelves:
            begin = await self._beginning(shelf.number)
            for lane in shelf.lanes.values():
                gone = lane.skip_to(begin)
                if gone:
                    self._options.observer.gap(
                        lane.partition_id,
                        f"up to {gone} records of partition {shelf.number} of the topic were "
                        "removed by its retention before they were read",
                    )
            if shelf.next < begin:
                self._seek(shelf, begin)

    async def _beginning(self, number: int) -> int:
        consumer = self._consumer
        if consumer is None:
            raise SourceUnavailable(_OTHERS)
        partition = self._partition(number)
        with translated():
            return int((await consumer.beginning_offsets([partition]))[partition])

    def _seek(self, shelf: Shelf, offset: int) -> None:
        if self._consumer is None:
            raise SourceUnavailable(_OTHERS)
        with translated():
            self._consumer.seek(self._partition(shelf.number), offset)
        shelf.next = offset

    def _shelf(self, partition_id: int) -> Shelf | None:
        return next((s for s in self.shelves.values() if partition_id in s.lanes), None)

    def _partition(self, number: int) -> Any:  # noqa: ANN401 - the library has no types
        return TopicPartition(self._place.topic, number)

    def _close(self, shelves: Collection[Shelf]) -> None:
        for shelf in shelves:
            for lane in shelf.lanes.values():
                lane.close()
