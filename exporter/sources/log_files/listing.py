"""Which files match a pattern; thousands that nobody writes to any more cost next to nothing."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import stat
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice

import msgspec

from exporter.sources.log_files.tail import HEAD_BYTES, first_timestamp_ms, identity_of

_EVERY_S = 1.0
_CHANGED_LAST = 64
_IN_TURN = 1000
_WILDCARD = re.compile(r"[*?[]")


class Found(msgspec.Struct, frozen=True, gc=False):
    """A file that matches the pattern.

    Attributes:
        number: Of the change that told of it, rising.
        path: Where it is now; renaming it changes nothing else.
        inode: Of its entry in the directory.
        identity: Made from its first line, so that it survives renaming and copying, and changes
            when the file is begun anew; empty while there is no whole first line.
        size_bytes: When it was looked at.
        changed_ns: The time of its last change.
        begins_ms: The time of its first record, or else of its last change.
    """

    number: int
    path: str
    inode: int
    identity: str
    size_bytes: int
    changed_ns: int
    begins_ms: int

    @property
    def age(self) -> tuple[int, str]:
        """Sorts files, the oldest first: by this time, then by name."""
        return self.begins_ms, self.path


@dataclass(frozen=True, slots=True)
class News:
    """What has changed in a listing.

    Attributes:
        number: Of the last change.
        changed: Files that are new or of another size; of copies of one file, the longest.
        present: Identities of all files when some are gone, else None.
    """

    number: int
    changed: tuple[Found, ...]
    present: frozenset[str] | None


class Listing:
    """The files that match a pattern; one for all lanes, each of which asks in a thread.

    A look reads the directory, at most once a second. A file is opened when its entry is new, and
    when its size or time of change are others. These two are asked of the 64 files that changed
    last at each look, and of the others in turns, a thousand at a look: what does not change any
    more costs its entry in the directory.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._lock = threading.Lock()
        self._by_path: dict[str, Found] = {}  # those that changed last stand last
        self._by_identity: dict[str, Found] = {}
        self._newest = (-1, "")
        self._number = 0
        self._gone_number = 0
        self._is_some_gone = False
        self._looked_s: float | None = None
        self._turns: Iterator[str] = iter(())

    def __len__(self) -> int:
        return len(self._by_identity)

    def news(self, since: int, now_s: float, suspects: Collection[str] = ()) -> News:
        """What has changed.

        Args:
            since: The number of the last news; 0 asks for all.
            now_s: By the clock; tells whether it is time to look.
            suspects: Paths that are no longer what was told; they are looked at now.
        """
        with self._lock:
            if suspects or self._looked_s is None or now_s - self._looked_s >= _EVERY_S:
                self._look(suspects)
                self._looked_s = now_s
            if self._is_some_gone:
                self._enter_anew()
            changed = {}
            for found in reversed(self._by_path.values()):
                if found.number <= since:
                    break
                if found.identity:
                    changed[found.identity] = self._by_identity[found.identity]
            present = frozenset(self._by_identity) if since < self._gone_number else None
            return News(self._number, tuple(changed.values()), present)

    def find(self, identity: str) -> Found | None:
        """A file as it was when last looked at; of copies, the longest."""
        with self._lock:
            return self._by_identity.get(identity)

    def is_newest(self, age: tuple[int, str]) -> bool:
        """Whether no file was begun after one of this age."""
        return age >= self._newest

    def _look(self, suspects: Collection[str]) -> None:
        there = dict(matching(self._pattern))
        known = self._by_path
        gone = [path for path in known if path not in there]
        new = {
            path for path, node in there.items() if path not in known or known[path].inode != node
        }
        changed = {
            path for path in (*self._due(), *suspects) if path in there and self._changed(path)
        }
        for path in gone:
            del known[path]
        self._is_some_gone = self._is_some_gone or bool(gone)
        # At first the files' own times are all that tells which of them changed last.
        for path in sorted(new | changed, key=_changed_ns):
            self._put(path, there[path])

    def _due(self) -> list[str]:
        """Paths whose files may have changed without their entry having done so."""
        due = list(islice(reversed(self._by_path), _CHANGED_LAST))
        turn = list(islice(self._turns, _IN_TURN))
        if len(turn) < _IN_TURN:
            self._turns = iter(list(self._by_path))
        return due + turn

    def _changed(self, path: str) -> bool:
        known = self._by_path.get(path)
        if known is None:
            return True
        try:
            status = os.stat(path)  # noqa: PTH116 - a thousand at a look, and a Path costs more
        except FileNotFoundError:
            return True
        return (status.st_size, status.st_mtime_ns) != (known.size_bytes, known.changed_ns)

    def _put(self, path: str, inode: int) -> None:
        before = self._by_path.pop(path, None)
        found = _look_at(path, inode, self._number + 1)
        if before is not None and before.identity and not _is_grown(before, found):
            self._is_some_gone = True
        if found is not None:
            self._number = found.number
            self._by_path[path] = found
            self._enter(found)

    def _enter(self, found: Found) -> None:
        if not found.identity:
            return
        self._newest = max(self._newest, found.age)
        twin = self._by_identity.get(found.identity)
        if twin is None or twin.path == found.path or twin.size_bytes < found.size_bytes:
            self._by_identity[found.identity] = found

    def _enter_anew(self) -> None:
        self._by_identity = {}
        self._newest = (-1, "")
        for found in self._by_path.values():
            self._enter(found)
        self._gone_number = self._number = self._number + 1
        self._is_some_gone = False


def _is_grown(before: Found, now: Found | None) -> bool:
    return (
        now is not None and now.identity == before.identity and now.size_bytes >= before.size_bytes
    )


def matching(pattern: str) -> Iterator[tuple[str, int]]:
    """Paths that match, each with the inode of its entry; only directories are read, no files.

    Raises:
        OSError: The directory may not be read. One of several, found by a wildcard, is passed over.
    """
    directory, name = os.path.split(pattern)
    if name == "**":  # as in `glob`: whatever there is, at any depth
        directory, name = pattern, "*"
    if not _WILDCARD.search(directory):
        yield from _entries(directory or ".", name)
        return
    # pathlib cannot expand a pattern that is absolute
    for each in glob.iglob(os.path.join(directory, ""), recursive=True):  # noqa: PTH118, PTH207
        try:
            yield from _entries(each, name)
        except PermissionError:
            continue


def _entries(directory: str, name: str) -> Iterator[tuple[str, int]]:
    try:
        if not _WILDCARD.search(name):
            path = os.path.join(directory, name)  # noqa: PTH118 - as below
            yield path, os.lstat(path).st_ino
            return
        is_match = re.compile(fnmatch.translate(name)).match
        with os.scandir(directory) as entries:  # unlike a Path's, they tell their inode
            for entry in entries:
                if is_match(entry.name) and (entry.name[0] != "." or name[0] == "."):
                    yield entry.path, entry.inode()
    except (FileNotFoundError, NotADirectoryError):
        return


def _changed_ns(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - as above
    except OSError:  # looking at it tells
        return 0


def _look_at(path: str, inode: int, number: int) -> Found | None:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None  # renamed between listing and looking
    try:
        status = os.fstat(file)
        head = os.pread(file, HEAD_BYTES, 0) if stat.S_ISREG(status.st_mode) else b""
    finally:
        os.close(file)
    timestamp_ms = first_timestamp_ms(head)
    return Found(
        number,
        path,
        inode,
        identity_of(head),
        status.st_size,
        status.st_mtime_ns,
        status.st_mtime_ns // 1_000_000 if timestamp_ms is None else timestamp_ms,
    )
