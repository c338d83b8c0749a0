"""Records from files of JSON lines, such as the record log of the devstack.

    file:///var/log/zeebe/*.jsonl      every file that matches, now and later, oldest first

Each lane reads the files for itself, so that one that stands still holds up no other. A file is
known by its first line: a rotation may rename it, or copy it and cut it to nothing. The bookmark
is how far each file was read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote

import orjson
import structlog
from typing_extensions import override

from exporter.errors import SourceRefused, SourceUnavailable
from exporter.progress import Progress
from exporter.record import Fault, Sifted, Unreadable, whose
from exporter.sources import Chunk, Source, SourceOptions
from exporter.sources.tail import Block, Found, OpenFile, find

_POLL_S = 0.2
_LOOKS_FOR_NEW = 5
_GIVEN_UP_POLLS = 25

_log = structlog.get_logger("exporter.sources.file")


class FileSource(Source):
    """Reads all files that match a pattern; see the port for its methods."""

    shared = False

    def __init__(self, pattern: str, options: SourceOptions) -> None:
        self._pattern = pattern
        self._options = options
        self._clock = options.clock
        self._frontier: dict[str, int] = {}
        self._read_lately = False
        self._partitions: dict[int, asyncio.Event] = {}
        self._appeared: asyncio.Queue[int] = asyncio.Queue()
        self._behind: dict[int, int] = {}

    @override
    async def partitions(self) -> AsyncGenerator[int, None]:
        scanning = asyncio.create_task(self._scan(), name="file-scan")
        try:
            while True:
                partition_id = await self._next(scanning)
                yield partition_id
                self._partitions[partition_id].set()
        finally:
            scanning.cancel()

    @override
    async def progress(self, partition_id: int) -> Progress | None:
        return None

    @override
    async def read(self, partition_id: int, progress: Progress) -> AsyncIterator[Chunk]:
        self._partitions.setdefault(partition_id, asyncio.Event()).set()
        reader = _Reader(self._pattern, progress.bookmark, self._options.max_record_bytes)
        try:
            while True:
                read_any = False
                order = await asyncio.to_thread(reader.look)
                while reader.missed:
                    self._options.observer.gap(partition_id, reader.missed.pop())
                for identity in order:
                    while (block := await _next_block(reader, identity)) is not None:
                        read_any = True
                        chunk = await self._chunk(partition_id, identity, block, reader)
                        yield chunk
                self._behind[partition_id] = 0
                if not read_any:
                    await self._clock.sleep(_POLL_S)
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
            "files": len(self._frontier),
            "bytes behind": max(self._behind.values(), default=0),
        }

    async def _chunk(
        self, partition_id: int, identity: str, block: Block, reader: _Reader
    ) -> Chunk:
        sifted, lines = self._sift(block)
        self._behind[partition_id] = reader.behind(identity)
        skipped = 0
        if block.end > self._frontier.get(identity, 0):
            # The first to get here looks for partitions that nobody knows yet.
            await self._announce(sifted)
            self._frontier[identity] = block.end
            skipped = lines - len(sifted)
        self._read_lately = True
        ours = [record for record in sifted if record.partition_id == partition_id]
        return Chunk(ours, reader.bookmark, skipped)

    def _sift(self, block: Block) -> tuple[list[Sifted], int]:
        if block.too_long:
            limit = self._options.max_record_bytes
            reason = f"the record is longer than {limit} bytes"
            return [Unreadable(*whose(block.too_long), Fault.TOO_LONG, reason, block.too_long)], 1
        return self._options.sieve.lines(block.lines), len(block.lines)

    async def _announce(self, sifted: list[Sifted]) -> None:
        """Have every partition that is new written down before anything behind it is done."""
        for partition_id in {record.partition_id for record in sifted}:
            known = self._partitions.get(partition_id)
            if known is None:
                known = self._partitions[partition_id] = asyncio.Event()
                self._appeared.put_nowait(partition_id)
            await known.wait()

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
        reader = _Reader(self._pattern, "", self._options.max_record_bytes)
        try:
            while True:
                for identity in await asyncio.to_thread(reader.look):
                    await self._scan_file(reader, identity)
                await self._clock.sleep(_POLL_S)
        except OSError as error:
            raise SourceUnavailable(f"a record file cannot be read ({error.strerror})") from error
        finally:
            reader.close()

    async def _scan_file(self, reader: _Reader, identity: str) -> None:
        while True:
            while self._read_lately:
                self._read_lately = False
                await self._clock.sleep(_POLL_S)
            reader.skip_to(identity, self._frontier.get(identity, 0))
            block = await _next_block(reader, identity)
            if block is None:
                return
            await self._announce(self._sift(block)[0])
            self._frontier[identity] = max(block.end, self._frontier.get(identity, 0))
            self._read_lately = bool(self._partitions)


async def _next_block(reader: _Reader, identity: str) -> Block | None:
    """The next lines of a file; None at its end. A thread waits for the disk, if somebody must."""
    cached = reader.read_cached(identity)
    if cached is None:
        return await asyncio.to_thread(reader.read, identity)
    await asyncio.sleep(0)  # a long file in memory must not keep all else from running
    return cached


class _Reader:
    """How far one lane has read each file.

    All but `read_cached` may wait for the disk; they are called in a thread, one at a time.

    Attributes:
        missed: What was gone before it was read, in words.
    """

    def __init__(self, pattern: str, bookmark: str, longest_bytes: int) -> None:
        self._pattern = pattern
        self._longest_bytes = longest_bytes
        self._offsets: dict[str, int] = orjson.loads(bookmark) if bookmark else {}
        self._files: dict[str, OpenFile] = {}
        self._order: list[str] = []
        self._stale: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._looks = 0
        self.missed: list[str] = []

    @property
    def bookmark(self) -> str:
        """The offsets as text."""
        return orjson.dumps(self._offsets).decode()

    def look(self) -> list[str]:
        """Identities of the files to read, oldest first; opens new ones, lets go of gone ones.

        Files that are known are looked at each time, for new ones every fifth time.
        """
        begun_anew = self._drop_what_was_begun_anew()
        if begun_anew or self._looks % _LOOKS_FOR_NEW == 0:
            self._look_for_new()
        self._looks += 1
        self.missed += [
            f"{unread_bytes} bytes of a record file were not read when it was cut to nothing"
            for identity, unread_bytes in begun_anew.items()
            if unread_bytes > 0 and identity not in self._files
        ]
        return self._order

    def _look_for_new(self) -> None:
        found = find(self._pattern)
        for file in found:
            self._open(file)
        present = [file.identity for file in found]
        for identity in set(self._files).difference(present):
            if self._is_read(identity):
                self._files.pop(identity).close()
        gone = [identity for identity in self._order if identity not in present]
        self._order = [identity for identity in gone if identity in self._files] + present
        self._offsets = {identity: self._offsets[identity] for identity in self._order}

    def read_cached(self, identity: str) -> Block | None:
        """The next lines of a file if they are in memory; None when one must look on the disk."""
        block = self._files[identity].read_cached(self._offsets[identity])
        if block is None:
            return None
        self._offsets[identity] = block.end
        return block

    def read(self, identity: str) -> Block | None:
        """The next lines of a file; None at its end."""
        file, offset = self._files[identity], self._offsets[identity]
        block = file.read(offset, self._longest_bytes)
        lines = block if block.end > offset else self._given_up(identity, file, offset)
        if lines is not None:
            self._stale.pop(identity, None)
            self._offsets[identity] = lines.end
        return lines

    def skip_to(self, identity: str, offset: int) -> None:
        """Do not read what lies before an offset."""
        self._offsets[identity] = max(offset, self._offsets[identity])

    def behind(self, identity: str) -> int:
        """Bytes of a file that are not read yet."""
        return self._files[identity].size_bytes - self._offsets[identity]

    def close(self) -> None:
        """Let go of all files."""
        for file in self._files.values():
            file.close()

    def _open(self, found: Found) -> None:
        identity = found.identity
        if identity not in self._files:
            self._files[identity] = OpenFile(found)
            self._sizes[identity] = found.size_bytes
        # Cut and written anew with the same first line: what is repeated is known by its position.
        if self._offsets.setdefault(identity, 0) > self._files[identity].size_bytes:
            self._offsets[identity] = 0

    def _drop_what_was_begun_anew(self) -> dict[str, int]:
        """Let go of files that were cut to nothing; gives the bytes of each that were not read.

        What they held may be found in a copy.
        """
        dropped = {}
        for identity, file in list(self._files.items()):
            if not file.is_itself:
                dropped[identity] = self._sizes.get(identity, 0) - self._offsets[identity]
                self._files.pop(identity).close()
            else:
                self._sizes[identity] = file.size_bytes
        return dropped

    def _is_read(self, identity: str) -> bool:
        return self._offsets[identity] >= self._files[identity].size_bytes

    def _given_up(self, identity: str, file: OpenFile, offset: int) -> Block | None:
        """The last line of a file that nobody goes on writing, though it has no end."""
        rest = file.rest(offset)
        if not rest or identity == self._order[-1]:
            return None
        polls = self._stale[identity] = self._stale.get(identity, 0) + 1
        return Block([rest], offset + len(rest)) if polls >= _GIVEN_UP_POLLS else None


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
        is_there = bool(await asyncio.to_thread(find, pattern)) or _directory(pattern).is_dir()
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
