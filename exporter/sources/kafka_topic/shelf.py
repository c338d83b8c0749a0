"""One partition of the topic: the lanes whose records lie in it, and the metadata of its offset.

The broker's exporter puts Zeebe's partition `p` into the topic's partition `p % count`, so several
may share one. Its offset is the least that any of them still needs; how far each is stands in the
offset's metadata, where Kafka allows 4096 bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec
import orjson

from exporter.errors import SourceRefused
from exporter.progress import Progress
from exporter.record import ILLEGIBLE, UNKNOWN_PARTITION, Fault, Sieve, Sifted, Unreadable, whose
from exporter.sources.kafka_topic.lane import Lane, Placed
from exporter.sources.remembered import from_text, to_text

_MOST_METADATA_BYTES = 4000
_SHOWN_BYTES = 4096


class Message(Protocol):
    """What is read of a topic."""

    offset: int
    key: bytes | None
    value: bytes | None


class _Key(msgspec.Struct, frozen=True, rename="camel"):
    """The key that the broker's exporter gives a message."""

    partition_id: int = UNKNOWN_PARTITION
    position: int = -1


_read_key = msgspec.json.Decoder(_Key).decode


@dataclass(frozen=True, slots=True)
class Sifter:
    """Tells what is asked for of a partition's messages."""

    sieve: Sieve
    longest_bytes: int
    number: int
    count: int

    def one(self, message: Message) -> Sifted | None:
        """What is asked for of one message; None when it is not, or holds nothing."""
        raw = message.value
        if raw is None:
            return None
        if len(raw) > self.longest_bytes:
            reason = f"the record is longer than {self.longest_bytes} bytes"
            sifted: Sifted | None = Unreadable(
                *whose(raw), Fault.TOO_LONG, reason, raw[:_SHOWN_BYTES]
            )
        else:
            sifted = self.sieve.one(raw)
        if isinstance(sifted, Unreadable) and sifted.partition_id == UNKNOWN_PARTITION:
            return self._attributed(sifted, message.key)
        return sifted

    def _attributed(self, record: Unreadable, key: bytes | None) -> Unreadable:
        """Whose a broken record is by its key; else it goes to the first that lies here."""
        try:
            told = _read_key(key or b"{}")
        except ILLEGIBLE:
            told = _Key()
        first = self.number or self.count
        partition_id = told.partition_id if told.partition_id > 0 else first
        return replace(record, partition_id=partition_id, position=told.position)


class Shelf:
    """A partition of the topic that is assigned to this process.

    Args:
        number: Which one, from 0.
        sifter: Tells what is asked for.
        begin: The offset where its committed work ends.
        appeared: Told of each of Zeebe's partitions that is found here.
        taken: Called whenever a lane has room again.

    Attributes:
        number: Which one.
        lanes: By Zeebe's partition.
        next: The offset that is read next.
    """

    def __init__(
        self,
        number: int,
        sifter: Sifter,
        begin: int,
        *,
        appeared: Callable[[int], None],
        taken: Callable[[], None],
    ) -> None:
        self.number = number
        self.lanes: dict[int, Lane] = {}
        self.next = begin
        self._sifter = sifter
        self._begin = begin
        self._appeared = appeared
        self._taken = taken

    @property
    def wanted(self) -> int | None:
        """The offset to read from: of the lanes with room, the one that is furthest behind.

        A lane without room is left out, and read for again when it has room, so that it holds up
        no other. None when no lane has room.
        """
        if not self.lanes:
            return self.next
        lanes = (lane.next for lane in self.lanes.values() if lane.is_hungry)
        return min((offset for offset in lanes if offset is not None), default=None)

    @property
    def offset(self) -> int:
        """The least that any lane still needs."""
        return min((self.offset_of(lane) for lane in self.lanes.values()), default=self._begin)

    @property
    def metadata(self) -> str:
        """How far each lane is.

        Raises:
            SourceRefused: There are too many for what Kafka keeps with an offset.
        """
        told = {
            str(lane.partition_id): orjson.Fragment(to_text(self.remembered(lane)))
            for lane in self.lanes.values()
        }
        text = orjson.dumps(told)
        if len(text) > _MOST_METADATA_BYTES:
            raise SourceRefused(
                f"partition {self.number} of the topic holds {len(self.lanes)} of Zeebe's, more "
                "than Kafka can keep the progress of; give the topic more partitions"
            )
        return text.decode()

    def recall(self, metadata: str) -> None:
        """Open the lanes that an offset's metadata tells of."""
        for partition_id, progress in _told(metadata):
            self._open(partition_id, self._begin).done = progress

    def remembered(self, lane: Lane) -> Progress:
        """How far a lane is, with a bookmark even where it has none."""
        return replace(lane.done, bookmark=self.bookmark(self.offset_of(lane)))

    def bookmark(self, offset: int) -> str:
        """Text that names an offset of this partition."""
        return f"{self.number}@{offset}"

    def offset_of(self, lane: Lane) -> int:
        """Where a lane would be read on after a restart."""
        offset = self.place(lane.done.bookmark)
        return lane.start if offset is None else offset

    def place(self, bookmark: str) -> int | None:
        """The offset of a bookmark; None when it is of no place in this partition."""
        number, _, offset = bookmark.partition("@")
        return int(offset) if offset and int(number) == self.number else None

    def hand_out(self, messages: Sequence[Message]) -> None:
        """Give every lane its part of what was read."""
        found: dict[int, list[Placed]] = defaultdict(list)
        skipped = 0
        for message in messages:
            sifted = self._sifter.one(message)
            if sifted is None:
                skipped += 1
            else:
                found[sifted.partition_id].append((message.offset, sifted))
        for partition_id in found.keys() - self.lanes.keys():
            self._open(partition_id, found[partition_id][0][0])
        window = range(self.next, messages[-1].offset + 1)
        self.next = window.stop
        for lane in self.lanes.values():
            records = found.get(lane.partition_id, ())
            lane.put(records, window, self.bookmark(window.stop), skipped)
            skipped = 0  # counted once

    def _open(self, partition_id: int, start: int) -> Lane:
        lane = self.lanes[partition_id] = Lane(partition_id, start, self._taken)
        self._appeared(partition_id)
        return lane


def _told(metadata: str) -> Iterator[tuple[int, Progress]]:
    """What was committed with an offset; nothing when somebody else committed it."""
    try:
        told: Mapping[str, object] = orjson.loads(metadata or "{}")
        for partition_id, text in told.items():
            progress = from_text(orjson.dumps(text))
            if progress is not None:
                yield int(partition_id), progress
    except (ValueError, AttributeError):
        return
