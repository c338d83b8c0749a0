"""Entries of Redis streams, places in several streams at once, and the merge into one order.

The broker's exporter writes a stream for each value type, in the order of positions and over one
connection. Entry ids begin with Redis's clock in milliseconds, so they tell the order between
streams to the millisecond; within that, positions do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from exporter.record import Sifted

EntryId = tuple[int, int]
"""Milliseconds of Redis's clock, and a counter within them."""

START: EntryId = (0, 0)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry of a stream.

    Attributes:
        stream: Its value type.
        raw_id: As Redis wrote it.
        record: None when nobody asked for it.
    """

    stream: str
    raw_id: bytes
    record: Sifted | None


def parse_id(raw: bytes | str) -> EntryId:
    """An entry's id, such as `1700000000000-3`."""
    text = raw.decode() if isinstance(raw, bytes) else raw
    time_ms, _, counter = text.partition("-")
    return int(time_ms), int(counter or 0)


def id_text(entry_id: EntryId) -> str:
    """An entry's id as Redis takes it."""
    return f"{entry_id[0]}-{entry_id[1]}"


@dataclass(frozen=True, slots=True)
class Cut:
    """A place in several streams at once; what lies before it comes before what lies behind it.

    Attributes:
        ids: The last entry before it, by value type; a stream that is missing is at its start.
    """

    ids: Mapping[str, EntryId]

    def __getitem__(self, stream: str) -> EntryId:
        return self.ids.get(stream, START)

    def __str__(self) -> str:
        """Text that `parse` reads, such as `JOB=1700000000000-0 USER_TASK=1700000000000-3`."""
        return " ".join(f"{stream}={id_text(self.ids[stream])}" for stream in sorted(self.ids))

    @classmethod
    def parse(cls, text: str) -> Cut:
        """The cut that was written as `text`; empty text is the beginning."""
        words = (word.partition("=") for word in text.split())
        return cls({stream: parse_id(entry_id) for stream, _, entry_id in words})

    def is_within(self, other: Cut) -> bool:
        """Whether everything before this is before `other` too."""
        return all(entry_id <= other[stream] for stream, entry_id in self.ids.items())

    @classmethod
    def lowest(cls, cuts: Iterable[Cut], streams: Iterable[str]) -> Cut:
        """What lies before every one of the cuts."""
        known = tuple(cuts)
        return cls({s: min((cut[s] for cut in known), default=START) for s in streams})


class Merge:
    """Puts what was read of several streams into one order.

    Every round, `add` what each stream gave and `take` what no stream can come before any more.

    Args:
        streams: Value types.
        begin: Where reading begins.
    """

    def __init__(self, streams: Collection[str], begin: Cut) -> None:
        self._held: dict[str, deque[Entry]] = {stream: deque() for stream in streams}
        self._read = {stream: begin[stream] for stream in streams}
        self._taken = dict(self._read)

    @property
    def read(self) -> Cut:
        """What was added."""
        return Cut(dict(self._read))

    @property
    def taken(self) -> Cut:
        """What was taken: a cut, whatever the streams still hold."""
        return Cut(dict(self._taken))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held."""
        return not any(self._held.values())

    def asked(self, limit: int) -> list[str]:
        """Streams to read next: those of which less than `limit` is held, or nothing but ties."""
        return [
            stream
            for stream, held in self._held.items()
            if len(held) < limit or parse_id(held[0].raw_id)[0] == self._read[stream][0]
        ]

    def add(self, stream: str, entries: Collection[Entry]) -> None:
        """Hold what a stream gave, in its order."""
        if entries:
            held = self._held[stream]
            held.extend(entries)
            self._read[stream] = parse_id(held[-1].raw_id)

    def skip_to(self, stream: str, entry_id: EntryId) -> None:
        """Nothing more lies before `entry_id` in a stream."""
        self._read[stream] = max(self._read[stream], entry_id)

    def take(self, complete: Collection[str]) -> list[Entry]:
        """What is in order, as far as that is known.

        Args:
            complete: Streams that have no more than was added; all at the same moment.
        """
        if len(self._held) == 1:
            (stream,) = self._held
            return self._all_of(stream)
        bound_ms = min((at[0] for s, at in self._read.items() if s not in complete), default=None)
        entries = [entry for stream in self._held for entry in self._before(stream, bound_ms)]
        entries.sort(key=_position)
        return entries

    def _all_of(self, stream: str) -> list[Entry]:
        entries = list(self._held[stream])
        self._held[stream].clear()
        self._taken[stream] = self._read[stream]
        return entries

    def _before(self, stream: str, bound_ms: int | None) -> list[Entry]:
        if bound_ms is None:
            return self._all_of(stream)
        held, entries = self._held[stream], []
        while held and (entry_id := parse_id(held[0].raw_id))[0] < bound_ms:
            entries.append(held.popleft())
            self._taken[stream] = entry_id
        return entries


def _position(entry: Entry) -> int:
    return -1 if entry.record is None else entry.record.position
