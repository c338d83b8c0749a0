from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from exporter.sources.log_files.bookmark import Bookmark, sign
from exporter.sources.log_files.listing import Found, Listing, News
from exporter.sources.log_files.tail import Block, OpenFile

_AHEAD = 32
"""Files held open that are not read yet: the oldest, since they are the first to be deleted."""
_BEHIND = 32
"""Files held open that are read to their end: those that grew last, and may grow again."""
_MOST = 256
"""Files held open at all; beyond the two above it is those whose last line has no end."""
_GIVEN_UP_POLLS = 25
_NOTHING: Mapping[str, int] = MappingProxyType({})


class Reader:
    """How far one lane has read each file.

    A file waits until it is among the oldest that are not read. Then it is held open until it is
    read to its end and others have grown since; so it is finished, and only its size is kept. When
    it is seen to have grown, it waits again.

    All but `read_cached` may wait for the disk; they are called in a thread, one at a time.

    Args:
        listing: Which files there are.
        bookmark: Where to begin.
        longest_bytes: A line that is longer is not read.
        passed: Up to where files need not be read, by identity.

    Attributes:
        missed: What was gone before it was read, in words.
        forgotten: Identities of files that are gone.
    """

    def __init__(
        self,
        listing: Listing,
        bookmark: Bookmark,
        longest_bytes: int,
        passed: Mapping[str, int] = _NOTHING,
    ) -> None:
        self._listing = listing
        self._longest_bytes = longest_bytes
        self._passed = passed
        self._number = 0
        self._told: Bookmark | None = bookmark
        self._begun: dict[str, int] = {}
        self._finished: dict[str, int] = {}
        self._signs = ""
        self._absent: set[str] = set()
        self._waiting: dict[str, Found] = {}
        self._queue: list[Found] = []
        self._held: dict[str, OpenFile] = {}  # those that grew last stand last
        self._stale: dict[str, int] = {}
        self.missed: list[str] = []
        self.forgotten: list[str] = []

    @property
    def offsets(self) -> Mapping[str, int]:
        """Up to where files were read, by identity."""
        return self._finished | self._begun

    @property
    def behind_bytes(self) -> int:
        """What is not read yet of the files that are held open."""
        return sum(file.size_bytes - self._begun[name] for name, file in self._held.items())

    def bookmark(self, partitions: tuple[int, ...]) -> str:
        """How far all files are read, as text.

        Args:
            partitions: All that stand in what was read.
        """
        return Bookmark(self._begun, self._signs, partitions).text

    def look(self, now_s: float) -> Sequence[OpenFile]:
        """Files that have more to read, the oldest first, some dozens at most.

        Args:
            now_s: By the clock.
        """
        # Names before sizes: what an older file got before a newer one was begun is read first.
        self._learn(self._listing.news(self._number, now_s))
        self._leave(now_s)
        self._finish()
        self._hold_more(now_s)
        unread = [file for file in self._held.values() if not self._is_read(file)]
        for file in unread:
            self._held[file.identity] = self._held.pop(file.identity)
        return sorted(unread, key=lambda file: file.age)

    def read_cached(self, file: OpenFile) -> Block | None:
        """The next lines of a file if they are in memory; None when one must look on the disk."""
        block = file.read_cached(self._begun[file.identity])
        if block is not None:
            self._go_on(file, block)
        return block

    def read(self, file: OpenFile) -> Block | None:
        """The next lines of a file; None at its end."""
        offset = self._begun[file.identity]
        block = file.read(offset, self._longest_bytes)
        lines = block if block.end > offset else self._given_up(file, offset)
        if lines is not None:
            self._go_on(file, lines)
        return lines

    def skip_to(self, file: OpenFile, offset: int) -> None:
        """Do not read what lies before an offset."""
        self._begun[file.identity] = max(offset, self._begun[file.identity])

    def close(self) -> None:
        """Let go of all files."""
        for file in self._held.values():
            file.close()
        self._held.clear()

    def _learn(self, news: News) -> None:
        if self._told is not None and news.changed:
            self._resume(self._told, news.changed)
            self._told = None
        elif news.present is not None:
            self._forget(self._finished.keys() - news.present)
        changed = [
            found
            for found in news.changed
            if found.identity not in self._held
            and self._finished.get(found.identity) != found.size_bytes
        ]
        if changed:
            self._wait(changed)
        self._number = news.number

    def _resume(self, told: Bookmark, there: Collection[Found]) -> None:
        """Find what the bookmark tells of; what is not there any more is forgotten."""
        signs = told.signs
        self._finished = {
            found.identity: found.size_bytes
            for found in there
            if signs and sign(found.identity, found.size_bytes) in signs
        }
        identities = {found.identity for found in there}
        self._begun = {name: at for name, at in told.offsets.items() if name in identities}
        self._sign_anew()

    def _wait(self, found: Sequence[Found]) -> None:
        self._waiting |= {each.identity: each for each in found}
        self._queue = sorted(self._waiting.values(), key=lambda each: each.age, reverse=True)

    def _forget(self, absent: set[str]) -> None:
        """Forget what was absent before too: one look may miss a file that is being renamed."""
        gone = absent & self._absent
        self._absent = absent - gone
        for identity in gone:
            del self._finished[identity]
        if gone:
            self.forgotten += gone
            self._sign_anew()

    def _leave(self, now_s: float) -> None:
        """Let go of files that were cut to nothing, and of those that were deleted and are read."""
        left = []
        for file in list(self._held.values()):
            if not file.look() or (file.is_deleted and self._is_read(file)):
                left.append(file)
                self._held.pop(file.identity).close()
                self._stale.pop(file.identity, None)
        self._look_elsewhere(left, "when it was cut to nothing", now_s)

    def _finish(self) -> None:
        """Close files that are read to their end, but for those that grew last."""
        read = [file for file in self._held.values() if self._is_read(file)]
        for file in read[:-_BEHIND]:
            file.close()
            del self._held[file.identity]
            size_bytes = self._finished[file.identity] = self._begun.pop(file.identity)
            self._signs += sign(file.identity, size_bytes)

    def _hold_more(self, now_s: float) -> None:
        lost = []
        ahead = sum(not self._is_read(file) for file in self._held.values()) - len(self._stale)
        while self._queue and ahead < _AHEAD and len(self._held) < _MOST:
            found = self._queue.pop()
            del self._waiting[found.identity]
            if self._passed.get(found.identity, 0) >= found.size_bytes:
                self._finished[found.identity] = found.size_bytes
            elif self._hold(found):
                ahead += not self._is_read(self._held[found.identity])
            else:
                lost.append(found)
        self._look_elsewhere(lost, "before it was deleted", now_s)

    def _hold(self, found: Found) -> bool:
        """Open a file; False when it is not to be found there any more."""
        try:
            file = OpenFile(found.path, found.identity, found.age)
        except FileNotFoundError:
            return False
        if not file.look():
            file.close()
            return False
        identity = found.identity
        offset = self._begun.get(identity, 0)
        if identity in self._finished:
            offset = self._finished.pop(identity)
            self._sign_anew()
        # Cut and written anew with the same first line: what is repeated is known by its position.
        self._begun[identity] = 0 if offset > file.size_bytes else offset
        self._held[identity] = file
        return True

    def _look_elsewhere(self, lost: Sequence[OpenFile | Found], when: str, now_s: float) -> None:
        """Wait for copies of files that are not where they were; tell what is there no more."""
        if not lost:
            return
        self._learn(self._listing.news(self._number, now_s, [file.path for file in lost]))
        for file in lost:
            copy = self._listing.find(file.identity)
            if copy is not None:
                self._wait([copy])
                continue
            unread_bytes = file.size_bytes - self._begun.pop(file.identity, 0)
            if file.identity in self._finished:
                unread_bytes -= self._finished.pop(file.identity)
                self._sign_anew()
            self.forgotten.append(file.identity)
            if unread_bytes > 0:
                self.missed.append(f"{unread_bytes} bytes of a record file were not read {when}")

    def _go_on(self, file: OpenFile, block: Block) -> None:
        self._begun[file.identity] = block.end
        self._stale.pop(file.identity, None)

    def _sign_anew(self) -> None:
        self._signs = "".join(sign(*each) for each in self._finished.items())

    def _is_read(self, file: OpenFile) -> bool:
        return self._begun[file.identity] >= file.size_bytes

    def _given_up(self, file: OpenFile, offset: int) -> Block | None:
        """The last line of a file that nobody goes on writing, though it has no end."""
        rest = file.rest(offset)
        if not rest or self._listing.is_newest(file.age):
            return None
        polls = self._stale[file.identity] = self._stale.get(file.identity, 0) + 1
        return Block([rest + b"\n"], offset + len(rest)) if polls >= _GIVEN_UP_POLLS else None
