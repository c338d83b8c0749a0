from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence

from exporter.errors import SourceUnavailable
from exporter.progress import Progress
from exporter.record import Sifted
from exporter.sources import Chunk

_CHUNKS_AHEAD = 2

Placed = tuple[int, Sifted]
"""A record and its offset."""


class Lane:
    """What waits for the lane of one Zeebe partition.

    Args:
        partition_id: Whose records these are.
        start: Offset before which there is nothing to do for it.
        taken: Called whenever there is room again.

    Attributes:
        done: How far it is, as last committed or about to be.
        next: The offset that it wants next; None while nobody reads.
    """

    def __init__(self, partition_id: int, start: int, taken: Callable[[], None]) -> None:
        self.partition_id = partition_id
        self.start = start
        self.done = Progress()
        self._taken = taken
        self.next: int | None = None
        self._chunks: deque[Chunk] = deque()
        self._news = asyncio.Event()
        self._failure: SourceUnavailable | None = None
        self._closed = False

    @property
    def is_hungry(self) -> bool:
        """Whether the topic should be read on for it."""
        return self.next is not None and len(self._chunks) < _CHUNKS_AHEAD

    @property
    def is_sending(self) -> bool:
        """Whether a batch was announced and is not over."""
        return self.done.pending is not None

    def put(self, records: Sequence[Placed], window: range, bookmark: str, skipped: int) -> None:
        """Take what was read, if that goes on where this lane is; else it is read again for it.

        Args:
            records: Its own.
            window: The offsets that were read.
            bookmark: Of the place behind them.
            skipped: Messages of the window that nobody asked for.
        """
        begin = self.next
        if begin is None or begin not in window or not self.is_hungry:
            return
        new = [record for offset, record in records if offset >= begin]
        self.next = window.stop
        if self._chunks and not self._chunks[-1].records:
            skipped += self._chunks.pop().skipped
        self._chunks.append(Chunk(new, bookmark, skipped))
        self._news.set()

    def skip_to(self, offset: int) -> int:
        """Go on at an offset, since what lies before is gone; gives how many offsets that is."""
        if self.next is None or self.next >= offset:
            return 0
        gone, self.next = offset - self.next, offset
        return gone

    def fail(self, error: SourceUnavailable) -> None:
        """Have the lane know that the peer is away."""
        self._failure = error
        self._news.set()

    def close(self) -> None:
        """The partition was taken away."""
        self._closed = True
        self.next = None
        self._news.set()

    async def read(self, begin: int) -> AsyncGenerator[Chunk, None]:
        """What lies at offset `begin` and behind it, until the partition is taken away.

        Raises:
            SourceUnavailable: The peer is away.
        """
        self._chunks.clear()
        self._failure = None
        self.next = None if self._closed else begin
        self._taken()
        try:
            while not self._closed:
                if self._failure is not None:
                    raise self._failure
                if self._chunks:
                    chunk = self._chunks.popleft()
                    self._taken()
                    yield chunk
                else:
                    self._news.clear()
                    await self._news.wait()
        finally:
            self.next = None
            self._chunks.clear()
