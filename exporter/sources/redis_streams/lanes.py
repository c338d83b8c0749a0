"""One partition's part of the log: what waits for its lane, and what it has not confirmed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Protocol

import msgspec

from exporter.errors import SourceUnavailable
from exporter.sources import Chunk
from exporter.sources.redis_streams.entries import Cut, Entry, parse_id
from exporter.sources.redis_streams.trimming import Backlog

_CHUNKS_AHEAD = 2

Ids = Mapping[str, Sequence[bytes]]
"""Ids of entries by stream."""


class _Window(msgspec.Struct, frozen=True, gc=False):
    """Entries of a partition that were read in one turn and are not confirmed."""

    end: Cut
    ids: Ids


class Past(Protocol):
    """The log as lanes see it."""

    @property
    def end(self) -> Cut:
        """Up to where the lanes were given all there is."""
        ...

    def history(self, begin: Cut, end: Cut) -> AsyncIterator[tuple[list[Entry], Cut]]:
        """What lies between two places, in turns, each with the place after it."""
        ...

    def lost(self, partition_id: int, count: int) -> None:
        """Entries that were given to us are gone before their lane had read them."""
        ...


class Lane:
    """What the log holds for one partition.

    While its lane keeps up, chunks wait here, a few at most. When it does not, they are left out,
    and it reads them again from the stream when it gets there, so that it holds up no other.

    Args:
        partition_id: Which one.
        given: Set whenever the lane took something, so that the log looks again.

    Attributes:
        waiting: Entries that are not confirmed.
    """

    def __init__(self, partition_id: int, given: asyncio.Event) -> None:
        self.partition_id = partition_id
        self.waiting = 0
        self._given = given
        self._chunks: deque[Chunk] = deque()
        self._windows: deque[_Window] = deque()
        self._cursor: Cut | None = None
        self._keeps_up = False
        self._is_ahead = False
        self._failure: SourceUnavailable | None = None
        self._closed = False
        self._news = asyncio.Event()

    @property
    def is_hungry(self) -> bool:
        """Whether the log should read on for it."""
        return self._is_ahead or (self._keeps_up and len(self._chunks) < _CHUNKS_AHEAD)

    @property
    def is_closed(self) -> bool:
        """Whether the partition was taken away from this process."""
        return self._closed

    def backlog(self, stream: str) -> Backlog:
        """What of a stream is not confirmed."""
        parts = [window.ids[stream] for window in self._windows if stream in window.ids]
        oldest = parse_id(parts[0][0]) if parts else None
        return Backlog(sum(map(len, parts)), oldest)

    def put(self, entries: Sequence[Entry], end: Cut, skipped: int) -> None:
        """Take what was read in a turn: this partition's entries, and the place after the turn."""
        if entries:
            self._windows.append(_Window(end, _by_stream(entries)))
            self.waiting += len(entries)
        if self._keeps_up:
            if len(self._chunks) < _CHUNKS_AHEAD:
                self._chunks.append(_chunk(entries, end, skipped))
                self._cursor = end
            elif entries:
                self._keeps_up = False
        self._news.set()

    def fail(self, error: SourceUnavailable) -> None:
        """Have the lane know that the peer is away."""
        self._failure, self._keeps_up = error, False
        self._news.set()

    def close(self) -> None:
        """The partition was taken away."""
        self._closed = True
        self._news.set()

    async def read(self, begin: Cut, past: Past) -> AsyncGenerator[Chunk, None]:
        """What follows `begin`, until the partition is taken away.

        Raises:
            SourceUnavailable: The peer is away.
        """
        self._chunks.clear()
        self._cursor, self._keeps_up, self._failure = begin, False, None
        try:
            while not self._closed:
                if self._failure is not None:
                    raise self._failure
                if self._chunks:
                    yield self._pop()
                elif self._keeps_up:
                    await self._wait()
                else:
                    async for chunk in self._catch_up(past):
                        yield chunk
        finally:
            self._keeps_up = self._is_ahead = False
            self._chunks.clear()

    async def _catch_up(self, past: Past) -> AsyncIterator[Chunk]:
        """Read what the log has passed already; then it may feed this lane."""
        begin, end = self._cursor or Cut({}), past.end
        if end.is_within(begin):
            self._keeps_up = begin.is_within(end)
            self._is_ahead = not self._keeps_up
            self._given.set()
            if self._is_ahead:  # it was begun anew with lanes that are further behind
                await self._wait()
            return
        self._is_ahead = False
        known = self._known(begin, end)
        async for entries, cut in past.history(begin, end):
            ours = [entry for entry in entries if _partition(entry) == self.partition_id]
            known.difference_update((entry.stream, entry.raw_id) for entry in ours)
            self._cursor = cut
            yield _chunk(ours, cut, 0)
        self._cursor = end
        if known:
            past.lost(self.partition_id, len(known))

    def confirmed(self, end: Cut) -> dict[str, list[bytes]]:
        """Entries that lie before a place; they stay on the account until `forget`."""
        ids: dict[str, list[bytes]] = {}
        for window in self._windows:
            if not window.end.is_within(end):
                break
            for stream, raw_ids in window.ids.items():
                ids.setdefault(stream, []).extend(raw_ids)
        return ids

    def forget(self, end: Cut) -> None:
        """Take the entries before a place off the account."""
        while self._windows and self._windows[0].end.is_within(end):
            self.waiting -= sum(len(ids) for ids in self._windows.popleft().ids.values())
        self._given.set()

    def _pop(self) -> Chunk:
        self._given.set()
        return self._chunks.popleft()

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()

    def _known(self, begin: Cut, end: Cut) -> set[tuple[str, bytes]]:
        """Entries between two places that were given to us once."""
        windows = (w for w in self._windows if w.end.is_within(end) and not w.end.is_within(begin))
        return {
            (stream, raw_id)
            for window in windows
            for stream, ids in window.ids.items()
            for raw_id in ids
            if parse_id(raw_id) > begin[stream]
        }


def _chunk(entries: Sequence[Entry], end: Cut, skipped: int) -> Chunk:
    records = [entry.record for entry in entries if entry.record is not None]
    return Chunk(records, str(end), skipped)


def _by_stream(entries: Sequence[Entry]) -> dict[str, list[bytes]]:
    streams = {entry.stream for entry in entries}
    if len(streams) == 1:
        return {stream: [entry.raw_id for entry in entries] for stream in streams}
    return {s: [entry.raw_id for entry in entries if entry.stream == s] for s in streams}


def _partition(entry: Entry) -> int | None:
    return None if entry.record is None else entry.record.partition_id
