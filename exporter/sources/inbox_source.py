"""What the sources that are pushed to have in common: they give what waits in an inbox."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from typing_extensions import override

from exporter.errors import SourceUnavailable, StateUnavailable
from exporter.inbox import Entry, Inbox
from exporter.progress import Progress
from exporter.record import Sieve
from exporter.sources import Chunk, Source

_T = TypeVar("_T")


class InboxSource(Source):
    """Gives what others have left in an inbox, and forgets what is done; see the port.

    Args:
        inbox: Where records wait.
        sieve: Tells which of them are asked for.
    """

    shared = False

    def __init__(self, inbox: Inbox, sieve: Sieve) -> None:
        self._inbox = inbox
        self._sieve = sieve

    @override
    async def partitions(self) -> AsyncGenerator[int, None]:
        given = 0
        while True:
            await self._arrival(self._inbox.appeared(given))
            for partition_id in self._inbox.partitions[given:]:
                yield partition_id
                given += 1

    @override
    async def progress(self, partition_id: int) -> Progress | None:
        return None

    @override
    async def read(self, partition_id: int, progress: Progress) -> AsyncIterator[Chunk]:
        place = int(progress.bookmark or 0)
        while True:
            with _away():
                entries = await self._arrival(self._inbox.take(partition_id, place))
            place = entries[-1].place
            sifted = [self._sieve.one(self._record(entry)) for entry in entries]
            records = [record for record in sifted if record is not None]
            yield Chunk(records, str(place), len(sifted) - len(records))

    @override
    async def acknowledge(self, partition_id: int, progress: Progress) -> None:
        if progress.bookmark:
            with _away():
                await self._inbox.forget(partition_id, int(progress.bookmark))

    def _record(self, entry: Entry) -> bytes:
        """The record of an entry."""
        return entry.raw

    async def _arrival(self, waiting: Coroutine[Any, Any, _T]) -> _T:
        """Wait for something in the inbox; raises when nothing can come any more."""
        return await waiting


@contextmanager
def _away() -> Iterator[None]:
    """To a lane, a queue on a disk that is full for now is a source that is away."""
    try:
        yield
    except StateUnavailable as error:
        raise SourceUnavailable(str(error)) from error
