"""Records from files of JSON lines, such as the record log of the devstack.

    file:///var/log/zeebe/*.jsonl      every file that matches, now and later, oldest first

Each lane reads the files for itself, so that one that stands still holds up no other. A file is
known by its first line: a rotation may rename it, or copy it and cut it to nothing. The bookmark
is how far each file was read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote

from typing_extensions import override

from exporter.errors import SourceRefused, SourceUnavailable
from exporter.progress import Progress
from exporter.record import Fault, Sifted, Unreadable, whose
from exporter.sources import Chunk, Source, SourceOptions
from exporter.sources.log_files.bookmark import Bookmark, read_bookmark
from exporter.sources.log_files.listing import Listing
from exporter.sources.log_files.reader import Reader
from exporter.sources.log_files.tail import Block, OpenFile

_POLL_S = 0.2


class FileSource(Source):
    """Reads all files that match a pattern; see the port for its methods."""

    shared = False

    def __init__(self, pattern: str, options: SourceOptions) -> None:
        self._pattern = pattern
        self._listing = Listing(pattern)
        self._options = options
        self._clock = options.clock
        self._frontier: dict[str, int] = {}
        self._read_lately = False
        self._partitions: dict[int, asyncio.Event] = {}
        self._written_down: set[int] = set()
        self._appeared: asyncio.Queue[int] = asyncio.Queue()
        self._behind: dict[int, int] = {}

    @override
    async def partitions(self) -> AsyncGenerator[int, None]:
        scanning = asyncio.create_task(self._scan(), name="file-scan")
        try:
            while True:
                partition_id = await self._next(scanning)
                yield partition_id
                self._is_written_down(partition_id)
        finally:
            scanning.cancel()

    @override
    async def progress(self, partition_id: int) -> Progress | None:
        return None

    @override
    async def read(self, partition_id: int, progress: Progress) -> AsyncIterator[Chunk]:
        self._is_written_down(partition_id)
        self._read_lately = True
        begin = read_bookmark(progress.bookmark)
        reader = Reader(self._listing, begin, self._options.max_record_bytes)
        try:
            unread = await self._look(reader)
            await self._take_over(begin, reader)
            while True:
                while reader.missed:
                    self._options.observer.gap(partition_id, reader.missed.pop())
                read_any = False
                for file in unread:
                    while (block := await _next_block(reader, file)) is not None:
                        read_any = True
                        chunk = await self._chunk(partition_id, file, block, reader)
                        yield chunk
                self._behind[partition_id] = 0
                if not read_any:
                    await self._clock.sleep(_POLL_S)
                unread = await self._look(reader)
        except OSError as error:
            raise SourceUnavailable(f"a record file cannot be read ({error.strerror})") from error
        finally:
            reader.close()

    @override
    async def acknowledge(self, partition_id: int, progress: Progress) -> None:
        """Nothing to do: the state file is the truth."""

    @override
    def facts(self) -> Mapping[str, str | int | float | bool | None]:
        return {
            "pattern": self._pattern,
            "files": len(self._listing),
            "bytes behind": max(self._behind.values(), default=0),
        }

    async def _look(self, reader: Reader) -> Sequence[OpenFile]:
        unread = await asyncio.to_thread(reader.look, self._clock.monotonic_s())
        while reader.forgotten:
            self._frontier.pop(reader.forgotten.pop(), None)
        return unread

    async def _take_over(self, begin: Bookmark, reader: Reader) -> None:
        """What was read before a restart need not be looked through for partitions again."""
        await self._announce(begin.partitions)
        for identity, offset in reader.offsets.items():
            self._frontier[identity] = max(offset, self._frontier.get(identity, 0))

    async def _chunk(
        self, partition_id: int, file: OpenFile, block: Block, reader: Reader
    ) -> Chunk:
        sifted, lines = self._sift(block)
        skipped = 0
        if block.end > self._frontier.get(file.identity, 0):
            # The first to get here looks for partitions that nobody knows yet.
            await self._announce({record.partition_id for record in sifted})
            self._frontier[file.identity] = block.end
            skipped = lines - len(sifted)
        self._behind[partition_id] = reader.behind_bytes
        self._read_lately = True
        ours = [record for record in sifted if record.partition_id == partition_id]
        return Chunk(ours, reader.bookmark(tuple(self._written_down)), skipped)

    def _sift(self, block: Block) -> tuple[list[Sifted], int]:
        if block.too_long:
            limit = self._options.max_record_bytes
            reason = f"the record is longer than {limit} bytes"
            return [Unreadable(*whose(block.too_long), Fault.TOO_LONG, reason, block.too_long)], 1
        return self._options.sieve.lines(block.lines), len(block.lines)

    async def _announce(self, partitions: Collection[int]) -> None:
        """Have partitions that are new written down before anything behind them is done."""
        for partition_id in partitions:
            if partition_id in self._written_down:
                continue
            known = self._partitions.get(partition_id)
            if known is None:
                known = self._partitions[partition_id] = asyncio.Event()
                self._appeared.put_nowait(partition_id)
            await known.wait()

    def _is_written_down(self, partition_id: int) -> None:
        self._written_down.add(partition_id)
        self._partitions.setdefault(partition_id, asyncio.Event()).set()

    async def _next(self, scanning: asyncio.Task[None]) -> int:
        appeared = asyncio.ensure_future(self._appeared.get())
        try:
            await asyncio.wait((appeared, scanning), return_when=asyncio.FIRST_COMPLETED)
            if scanning.done():
                await scanning
            return await appeared
        finally:
            appeared.cancel()

    async def _scan(self) -> None:
        """Look for partitions where no lane does: at the start, and while all stand still."""
        limit_bytes = self._options.max_record_bytes
        reader = Reader(self._listing, Bookmark(), limit_bytes, passed=self._frontier)
        try:
            while True:
                unread = await self._look(reader)
                read = [await self._scan_file(reader, file) for file in unread]
                if not any(read):
                    await self._clock.sleep(_POLL_S)
        except OSError as error:
            raise SourceUnavailable(f"a record file cannot be read ({error.strerror})") from error
        finally:
            reader.close()

    async def _scan_file(self, reader: Reader, file: OpenFile) -> bool:
        """Look through what nobody has read yet of a file; False when there was nothing."""
        read_any = False
        while True:
            while self._read_lately:
                self._read_lately = False
                await self._clock.sleep(_POLL_S)
            reader.skip_to(file, self._frontier.get(file.identity, 0))
            block = await _next_block(reader, file)
            if block is None:
                return read_any
            read_any = True
            await self._announce({record.partition_id for record in self._sift(block)[0]})
            self._frontier[file.identity] = max(block.end, self._frontier.get(file.identity, 0))
            self._read_lately = bool(self._partitions)


async def _next_block(reader: Reader, file: OpenFile) -> Block | None:
    """The next lines of a file; None at its end. A thread waits for the disk, if somebody must."""
    cached = reader.read_cached(file)
    if cached is None:
        return await asyncio.to_thread(reader.read, file)
    await asyncio.sleep(0)  # a long file in memory must not keep all else from running
    return cached


@asynccontextmanager
async def open_source(options: SourceOptions) -> AsyncIterator[FileSource]:
    """Follow the files that the URL names; they need not be there yet.

    Raises:
        SourceRefused: The URL names no path.
    """
    yield FileSource(_pattern(options), options)


async def probe(options: SourceOptions) -> None:
    """Prove that the directory is there.

    Raises:
        SourceError: It is not, or may not be read.
    """
    pattern = _pattern(options)
    try:
        listing = Listing(pattern)
        await asyncio.to_thread(listing.news, 0, 0.0)
        is_there = len(listing) > 0 or _directory(pattern).is_dir()
    except OSError as error:
        raise SourceUnavailable(
            f"{error.filename} cannot be read ({error.strerror}); check its permissions"
        ) from error
    if not is_there:
        raise SourceRefused(f"{_directory(pattern)} is no directory; check APP_INTEGRATIONS_SOURCE")


def _pattern(options: SourceOptions) -> str:
    """The path or pattern of a `file:` URL; `file://./x` is relative to the working directory."""
    text = unquote(str(options.url).removeprefix("file:"))
    pattern = text.removeprefix("//").removeprefix("localhost")
    if not pattern.strip("/"):
        raise SourceRefused("the URL names no file; write file:///path/records.jsonl")
    return pattern


def _directory(pattern: str) -> Path:
    """The directory that a pattern begins with, up to its first wildcard."""
    parts = Path(pattern).parts
    plain = [part for part in parts[:-1] if not any(sign in part for sign in "*?[")]
    return Path(*plain) if plain else Path()
