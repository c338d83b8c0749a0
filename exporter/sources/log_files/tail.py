"""Lines of a file that grows, is renamed, replaced and cut; it is known by how it begins."""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass
from hashlib import blake2b

HEAD_BYTES = 4096
_TIMESTAMP = re.compile(rb'"timestamp"\s*:\s*(\d{1,15})')
BLOCK_BYTES = 192 * 1024
"""What is read at once: it and its lines fit into a processor's cache, which is half the time."""

_CLOSED = -1
_NO_WAIT: int | None = getattr(os, "RWF_NOWAIT", None)  # Linux alone has it


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


class OpenFile:
    """A file that stays readable although it is renamed or deleted; close it when done.

    Attributes:
        identity: What it was opened for.
        path: Where it was then.
        age: Sorts files, the oldest first.
        size_bytes: When it was last looked at.
        is_deleted: Whether it had no name any more then.
    """

    def __init__(self, path: str, identity: str, age: tuple[int, str]) -> None:
        self.path = path
        self.identity = identity
        self.age = age
        self.size_bytes = 0
        self.is_deleted = False
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._first_line = _first_line(os.pread(self._file, HEAD_BYTES, 0))
        self._is_another = _digest(self._first_line) != identity

    def look(self) -> bool:
        """Look how large it is; False when it was cut to nothing and begun anew, or is another."""
        if self._is_another or not self._is_itself():
            return False
        status = os.fstat(self._file)
        self.size_bytes = status.st_size
        self.is_deleted = status.st_nlink == 0
        return True

    def read_cached(self, offset: int) -> Block | None:
        """Whole lines from `offset` on, if they are in memory, so that no disk is waited for.

        None when they are not, or when a line is too long for one block: `read` tells.
        """
        if not (self._is_cached(offset) and self._is_cached(offset + BLOCK_BYTES - 1)):
            return None
        block = _whole_lines(os.pread(self._file, BLOCK_BYTES, offset), offset)
        return block if block.lines and self._is_itself() else None

    def _is_itself(self) -> bool:
        """Whether it begins as it did; asked after reading, since it may be cut at any moment."""
        return os.pread(self._file, len(self._first_line), 0) == self._first_line

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
        """Whole lines from `offset` on, some hundred of them; none when it was begun anew.

        Args:
            offset: Where a line begins.
            longest_bytes: A line that is longer is not read but told of.
        """
        wanted = BLOCK_BYTES
        while True:
            text = os.pread(self._file, wanted, offset)
            block = _whole_lines(text, offset)
            if not self._is_itself():
                return Block([], offset)
            if block.lines or len(text) < wanted:
                return block
            if wanted > longest_bytes:
                return self._pass_over(offset, text[:HEAD_BYTES])
            wanted = min(wanted * 2, longest_bytes + 1)

    def rest(self, offset: int) -> bytes:
        """What stands behind the last whole line."""
        return os.pread(self._file, BLOCK_BYTES, offset)

    def close(self) -> None:
        """Let go of it; once it is closed nothing happens.

        A lane that ends does not wait for the thread that looks for it, and a second `os.close`
        would close whatever has the number by then.
        """
        file, self._file = self._file, _CLOSED
        if file != _CLOSED:
            os.close(file)

    def _pass_over(self, offset: int, beginning: bytes) -> Block:
        at = offset
        while text := os.pread(self._file, BLOCK_BYTES, at):
            end = text.find(b"\n")
            if end >= 0:
                return Block([], at + end + 1, beginning)
            at += len(text)
        return Block([], offset)  # its end is not written yet


def identity_of(head: bytes) -> str:
    """What a file is known by that begins with `head`; empty while its first line is not whole."""
    return _digest(_first_line(head))


def first_timestamp_ms(head: bytes) -> int | None:
    """The time of the first record of a file that begins with `head`."""
    timestamp = _TIMESTAMP.search(_first_line(head))
    return int(timestamp[1]) if timestamp else None


def _digest(line: bytes) -> str:
    return blake2b(line, digest_size=8).hexdigest() if line else ""


def _first_line(head: bytes) -> bytes:
    """The first line, or as much of it as is looked at; empty while it is not whole."""
    return head[: head.find(b"\n") + 1] or (head if len(head) == HEAD_BYTES else b"")


def _whole_lines(text: bytes, offset: int) -> Block:
    lines = io.BytesIO(text).readlines()
    cut = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
    return Block(lines, offset + len(text) - len(cut))
