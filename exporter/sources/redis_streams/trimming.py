"""Watches what is taken out of a stream: whether it was read, or soon will be gone unread.

Redis counts every entry that was ever added to a stream (from version 7 on). Of these we know how
many we were given; what is neither given nor there any more is lost. The count is looked at in one
transaction with the reading, so that nothing can be taken out in between unnoticed.
"""

from __future__ import annotations

from dataclasses import dataclass

from exporter.sources.redis_streams.client import GroupState, StreamState
from exporter.sources.redis_streams.entries import START, EntryId

_LATELY_S = 600.0
_NEAR = 0.8
_OLD_MS = 10_000


@dataclass(frozen=True, slots=True)
class Backlog:
    """What of a stream is not done.

    Attributes:
        waiting: Entries that were read and are not confirmed.
        oldest: The first of them, None when there is none.
    """

    waiting: int
    oldest: EntryId | None


class Trimming:
    """The account of one stream.

    Args:
        group: What Redis tells of our group when reading begins.
        stream: What it tells of the stream at that time.

    Attributes:
        given: Entries that were added up to the last one that we were given.
        unread: Entries that were not given to us when we last looked.
    """

    def __init__(self, group: GroupState, stream: StreamState) -> None:
        self.unread = 0
        self.given = self._begin(group, stream)
        self._removed = 0 if stream.added is None else stream.added - stream.length
        self._trimmed_at_s: float | None = None
        self._warned = False

    @staticmethod
    def _begin(group: GroupState, stream: StreamState) -> int | None:
        if stream.added is None:
            return None
        if group.delivered == START:
            # What was taken out before our group began is not ours to miss.
            return stream.added - stream.length
        return group.read

    def is_anew(self, stream: StreamState) -> bool:
        """Whether the stream was deleted and begun anew since we last looked."""
        return stream.added is not None and self.given is not None and stream.added < self.given

    def lost(self, stream: StreamState, read: EntryId, given: int, *, complete: bool) -> int:
        """Account for a turn of reading.

        Args:
            stream: What Redis told in the same transaction, before it gave the entries.
            read: The last entry that was given before.
            given: Entries that were given now.
            complete: Whether that is all there is.

        Returns:
            How many entries are gone that were never given to us.
        """
        if stream.added is None:
            return 0
        if self.given is None:  # Redis could not tell; begin the account at the first sure moment
            self.given = stream.added if complete else None
            return 0
        unread = stream.added - self.given
        overtaken = stream.first is None or stream.first > read
        gone = unread - (given if complete else stream.length if overtaken else unread)
        self.given += gone + given
        self.unread = stream.added - self.given
        return gone

    def add(self, given: int) -> None:
        """Account for entries that were given as they came."""
        if self.given is not None:
            self.given += given

    def warning(
        self, stream: StreamState, backlog: Backlog, *, now_ms: int, now_s: float
    ) -> str | None:
        """What somebody should look at before entries are lost, told once as long as it holds."""
        reason = self._reason(stream, backlog, now_ms, now_s)
        is_new, self._warned = not self._warned, reason is not None
        return reason if is_new else None

    def _reason(
        self, stream: StreamState, backlog: Backlog, now_ms: int, now_s: float
    ) -> str | None:
        if stream.expires_ms is not None:
            return (
                f"the key goes away in {stream.expires_ms // 1000} s with all that it holds; "
                "remove its expiry"
            )
        if stream.added is None or backlog.oldest is None:
            return None
        removed = stream.added - stream.length
        if removed > self._removed:
            self._removed, self._trimmed_at_s = removed, now_s
        lately = self._trimmed_at_s is not None and now_s - self._trimmed_at_s < _LATELY_S
        behind = backlog.waiting + self.unread
        age_ms = now_ms - backlog.oldest[0]
        if not lately or age_ms < _OLD_MS or behind < _NEAR * stream.length:
            return None
        return (
            f"{behind} of its {stream.length} entries are not delivered, the oldest for "
            f"{age_ms // 1000} s, and entries are being removed; let them stay longer "
            "(maxTimeToLiveInSeconds of the broker's exporter) until the backend takes events again"
        )
