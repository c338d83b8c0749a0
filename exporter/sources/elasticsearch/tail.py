from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import msgspec

from exporter.progress import Progress
from exporter.record import ILLEGIBLE, Fault, Record, Sifted, Unreadable
from exporter.sources import Chunk, SourceOptions
from exporter.sources.elasticsearch import query
from exporter.sources.elasticsearch.address import Address
from exporter.sources.elasticsearch.bookmark import Bookmark, read_bookmark
from exporter.sources.elasticsearch.client import SearchClient, TooLarge
from exporter.sources.elasticsearch.horizon import NOTHING_YET, Horizon
from exporter.sources.elasticsearch.overlap import Overlap
from exporter.sources.elasticsearch.query import Envelope, Hit
from exporter.sources.elasticsearch.sequence import SequenceWatch

_SLOWEST_POLLS = 5
_OVERLAP_LOOKS = 6
_SMALL_BYTES, _LARGE_BYTES = 1 << 20, 4 << 20

_envelope = msgspec.json.Decoder(Envelope).decode


@dataclass(frozen=True, slots=True)
class _Document:
    """A document that was found; `source` is None when it is too large to be read."""

    envelope: Envelope
    source: bytes | None

    @property
    def position(self) -> int:
        return self.envelope.position


class Tail:
    """Reads one partition, from a bookmark on, for ever.

    Args:
        partition_id: Which one.
        progress: Where to begin.
        client: For searches.
        address: How to read.
        options: What all sources are made from.

    Attributes:
        newest: Largest position that is visible, -1 before the first.
        read_to: Position of the last document read.
    """

    def __init__(
        self,
        partition_id: int,
        progress: Progress,
        client: SearchClient,
        address: Address,
        options: SourceOptions,
    ) -> None:
        bookmark = read_bookmark(progress)
        self.newest = NOTHING_YET
        self.read_to = bookmark.after
        self._partition_id = partition_id
        self._client = client
        self._address = address
        self._options = options
        self._clock = options.clock
        self._size = address.page
        self._horizon = Horizon(address.lag_s)
        self._watch = SequenceWatch(bookmark.sequences, address.gap_s, self._gone)
        self._overlap = Overlap(bookmark.after, address.overlap_s)
        self._look_s = self._clock.monotonic_s()
        self._is_doubtful = False

    @property
    def is_holding(self) -> bool:
        """Whether it waits for a number that is missing."""
        return self._watch.is_holding

    async def chunks(self) -> AsyncIterator[Chunk]:
        """What comes, in the order of positions.

        Raises:
            SourceUnavailable: Searches are not answered.
            SourceRefused: Searches are refused.
        """
        idle = 0
        while True:
            before = self.newest
            await self._see_newest()
            safe = self._horizon.safe(self._clock.monotonic_s())
            while (chunk := await self._next(safe)) is not None:
                yield chunk
            late = await self._late()
            if late is not None:
                yield late
            idle = 0 if self.newest > before else idle + 1
            await self._clock.sleep(self._pause_s(idle))

    def _pause_s(self, idle: int) -> float:
        """Seconds to the next look: until more may be read, and longer the less comes."""
        due_s = self._horizon.due_s(self._clock.monotonic_s())
        poll_s = self._address.poll_s
        if due_s is not None:
            return min(poll_s, due_s)
        return poll_s if self.is_holding else poll_s * min(1 + idle / 2, _SLOWEST_POLLS)

    async def _see_newest(self) -> None:
        found = await self._client.search(query.newest(self._partition_id), self._partition_id)
        for hit in found.hits.hits:
            if hit.sort and hit.sort[0] is not None:
                self.newest = hit.sort[0]
                self._horizon.see(self.newest, self._clock.monotonic_s())
                self._doubt()

    def _doubt(self) -> None:
        """Say so when the index ends before the place where reading begins."""
        if self.newest >= self.read_to or self._is_doubtful:
            return
        self._is_doubtful = True
        self._options.observer.warned(
            f"the index of partition {self._partition_id} ends at position {self.newest}, before "
            f"{self.read_to}, which is done; when the cluster was set up anew, start once with "
            "--from-beginning"
        )

    async def _next(self, safe: int) -> Chunk | None:
        """The next page up to position `safe`; None when there is none, or it is held."""
        if self.read_to >= safe:
            return None
        documents = await self._page(self.read_to, safe)
        now_s = self._clock.monotonic_s()
        passing = self._watch.passing([each.envelope for each in documents], now_s)
        if not passing:
            return None
        for each in documents[:passing]:
            self._overlap.add(each.position, now_s)
        self.read_to = documents[passing - 1].position
        return self._chunk(documents[:passing])

    def _chunk(self, documents: Sequence[_Document]) -> Chunk:
        sifted = map(self._sift, documents)
        records = [record for record in sifted if record is not None]
        bookmark = Bookmark(self.read_to, self._watch.numbers)
        return Chunk(records, bookmark.text, len(documents) - len(records))

    async def _page(self, after: int, through: int) -> list[_Document]:
        """Documents in order, each `_id` once."""
        body = query.page(self._partition_id, after, through, self._size)
        try:
            found = await self._client.search(body, self._partition_id)
        except TooLarge:
            if self._size > 1:
                self._size //= 2
                return await self._page(after, through)
            return await self._oversized(after, through)
        documents = {hit.id: self._document(hit) for hit in found.hits.hits}
        self._fit_size(sum(len(hit.source) for hit in found.hits.hits))
        return list(documents.values())

    async def _oversized(self, after: int, through: int) -> list[_Document]:
        """The next document, which is too large to be read, by its envelope."""
        body = query.envelopes(self._partition_id, after, through)
        found = await self._client.search(body, self._partition_id)
        return [_Document(self._document(hit).envelope, None) for hit in found.hits.hits]

    def _document(self, hit: Hit) -> _Document:
        source = bytes(hit.source)
        try:
            return _Document(_envelope(source), source)
        except ILLEGIBLE:
            # It has a place in the order all the same; the sieve says what is wrong with it.
            position = hit.sort[0] if hit.sort else None
            return _Document(Envelope(position or 0, self._partition_id, -1, "", ""), source)

    def _fit_size(self, page_bytes: int) -> None:
        """Ask for fewer or more next time, so that a page is a few megabytes at most."""
        if page_bytes > _LARGE_BYTES:
            self._size = max(1, self._size // 2)
        elif page_bytes < _SMALL_BYTES:
            self._size = min(self._address.page, self._size * 2)

    def _sift(self, document: _Document) -> Sifted | None:
        envelope, source = document.envelope, document.source
        if source is not None and len(source) <= self._options.max_record_bytes:
            return self._options.sieve.one(source)
        text = msgspec.json.encode(envelope)
        if not isinstance(self._options.sieve.one(text[:-1] + b',"value":{}}'), Record):
            return None
        longest_bytes = self._options.max_record_bytes
        reason = f"the record is longer than {longest_bytes} bytes or nested too deeply"
        return Unreadable(envelope.partition_id, envelope.position, Fault.TOO_LONG, reason, text)

    async def _late(self) -> Chunk | None:
        """What turned up among the documents that were read already; None when nothing did."""
        now_s = self._clock.monotonic_s()
        span_s = self._address.overlap_s
        if not span_s or now_s < self._look_s or self._overlap.floor >= self.read_to:
            return None
        self._look_s = now_s + span_s / _OVERLAP_LOOKS
        body = query.count(self._partition_id, self._overlap.floor, self.read_to)
        counted = await self._client.count(body, self._partition_id)
        if counted <= self._overlap.count:
            return None
        documents = await self._behind_floor()
        new = self._overlap.new({each.position for each in documents}, counted)
        if not new:
            return None
        self._options.observer.warned(
            f"{len(new)} records of partition {self._partition_id} became visible after those "
            "behind them were read; raise lag-ms in the URL of the source"
        )
        return self._chunk([each for each in documents if each.position in new])

    async def _behind_floor(self) -> list[_Document]:
        documents: list[_Document] = []
        after = self._overlap.floor
        while page := await self._page(after, self.read_to):
            documents += page
            after = page[-1].position
        return documents

    def _gone(self, reason: str) -> None:
        self._options.observer.gap(self._partition_id, reason)
