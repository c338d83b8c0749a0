"""Files of lines that grow, are renamed, replaced and cut, told apart by how they begin."""

from __future__ import annotations

import glob
import io
import os
import re
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

_HEAD_BYTES = 4096
_TIMESTAMP = re.compile(rb'"timestamp"\s*:\s*(\d{1,15})')
BLOCK_BYTES = 192 * 1024
"""What is read at once: it and its lines fit into a processor's cache, which is half the time."""

_NO_WAIT: int | None = getattr(os, "RWF_NOWAIT", None)  # Linux alone has it


@dataclass(frozen=True, slots=True)
class Found:
    """A file that matches the pattern.

    Attributes:
        path: Where it is now; renaming it changes nothing else.
        identity: Made from its first line, so that it survives renaming and copying, and changes
            when the file is begun anew.
        size_bytes: When it was looked at.
        begins_ms: The time of its first record, or else of its last change.
    """

    path: Path
    identity: str
    size_bytes: int
    begins_ms: int


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a file.

    Attributes:
        lines: With their line ends; empty when no whole line is there.
        end: Offset behind them.
        too_long: The beginning of a line that is longer than allowed; it is left out of `lines`.
    """

    lines: list[bytes]
    end: int
    too_long: bytes = b""


def find(pattern: str) -> list[Found]:
    """The files that match, oldest first; those without a whole first line are not there yet.

    Of copies of one file, the longest counts.
    """
    by_identity: dict[str, Found] = {}
    # pathlib cannot expand a pattern that is absolute
    for name in glob.iglob(pattern, recursive=True):  # noqa: PTH207
        found = _look_at(Path(name))
        if found is None:
            continue
        twin = by_identity.get(found.identity)
        if twin is None or twin.size_bytes < found.size_bytes:
            by_identity[found.identity] = found
    return sorted(by_identity.values(), key=lambda found: (found.begins_ms, str(found.path)))


class OpenFile:
    """A file that stays readable although it is renamed or deleted; close it when done."""

    def __init__(self, found: Found) -> None:
        self.identity = found.identity
        self._file = os.open(found.path, os.O_RDONLY | os.O_CLOEXEC)

    @property
    def size_bytes(self) -> int:
        """Its size now."""
        return os.fstat(self._file).st_size

    @property
    def is_itself(self) -> bool:
        """Whether it still begins as it did; not when it was cut to nothing and begun anew."""
        return _identity(os.pread(self._file, _HEAD_BYTES, 0)) == self.identity

    def read_cached(self, offset: int) -> Block | None:
        """Whole lines from `offset` on, if they are in memory, so that no disk is waited for.

        None when they are not, or when a line is too long for one block: `read` tells.
        """
        if not (self._is_cached(offset) and self._is_cached(offset + BLOCK_BYTES - 1)):
            return None
        block = _whole_lines(os.pread(self._file, BLOCK_BYTES, offset), offset)
        return block if block.lines else None

    def _is_cached(self, offset: int) -> bool:
        """Whether the byte at `offset` is in memory, or behind the end of the file."""
        if _NO_WAIT is None:
            return False
        try:
            os.preadv(self._file, [bytearray(1)], offset, _NO_WAIT)
        except OSError:  # not cached, or not for this file system
            return False
        return True

    def read(self, offset: int, longest_bytes: int) -> Block:
        """Whole lines from `offset` on, some hundred of them.

        Args:
            offset: Where a line begins.
            longest_bytes: A line that is longer is not read but told of.
        """
        wanted = BLOCK_BYTES
        while True:
            text = os.pread(self._file, wanted, offset)
            block = _whole_lines(text, offset)
            if block.lines or len(text) < wanted:
                return block
            if wanted > longest_bytes:
                return self._pass_over(offset, text[:_HEAD_BYTES])
            wanted = min(wanted * 2, longest_bytes + 1)

    def rest(self, offset: int) -> bytes:
        """What stands behind the last whole line."""
        return os.pread(self._file, BLOCK_BYTES, offset)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._file)

    def _pass_over(self, offset: int, beginning: bytes) -> Block:
        at = offset
        while text := os.pread(self._file, BLOCK_BYTES, at):
            end = text.find(b"\n")
            if end >= 0:
                return Block([], at + end + 1, beginning)
            at += len(text)
        return Block([], offset)  # its end is not written yet


def _whole_lines(text: bytes, offset: int) -> Block:
    lines = io.BytesIO(text).readlines()
    cut = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
    return Block(lines, offset + len(text) - len(cut))


def _look_at(path: Path) -> Found | None:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            status = os.fstat(file.fileno())
    except (FileNotFoundError, IsADirectoryError):
        return None  # renamed between listing and looking, or no file
    identity = _identity(head)
    if identity is None:
        return None
    timestamp = _TIMESTAMP.search(_first_line(head))
    begins_ms = int(timestamp[1]) if timestamp else status.st_mtime_ns // 1_000_000
    return Found(path, identity, status.st_size, begins_ms)


def _identity(head: bytes) -> str | None:
    line = _first_line(head)
    return blake2b(line, digest_size=8).hexdigest() if line else None


def _first_line(head: bytes) -> bytes:
    """The first line, or as much of it as is looked at; empty while it is not whole."""
    return head[: head.find(b"\n") + 1] or (head if len(head) == _HEAD_BYTES else b"")
