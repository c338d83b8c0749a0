from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exporter.event import Event, Selection
from exporter.progress import Bounds, Progress
from runtime.clock import Clock

_ENVELOPE_BYTES = len(b'{"events":[]}')


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that go to the backend in one request, in the order of the log.

    Attributes:
        partition_id: Whose they are.
        events: At least one.
        bookmark: What the source need not be asked for again once these are delivered.
        selection: What was asked for when they were made (`event.Selection.text`).
    """

    partition_id: int
    events: Sequence[Event]
    bookmark: str
    selection: str

    @property
    def bounds(self) -> Bounds:
        """What must be remembered to make the same batch again."""
        return Bounds(
            self.events[0].position, self.events[-1].position, len(self.events), self.selection
        )

    @property
    def idempotency_key(self) -> str:
        """The same on every try and after a restart, so that a backend can tell a repeat."""
        return f"{self.partition_id}-{self.events[0].position}-{self.events[-1].position}"

    @property
    def body(self) -> bytes:
        """The request's body, as upstream's."""
        return b'{"events":[%b]}' % b",".join(event.json for event in self.events)

    @property
    def progress(self) -> Progress:
        """How far the partition is done once this batch is."""
        last = self.events[-1]
        return Progress(last.position, self.bookmark, None, last.timestamp_ms)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch is closed: whichever comes first.

    Attributes:
        count: Events in it.
        size_bytes: Of its body; an event that is larger by itself goes alone.
        age_s: Since its first event came. (Upstream counts from the flush before, so that after an
            idle spell an event goes out at once, alone.)
    """

    count: int = 50
    size_bytes: int = 1_000_000
    age_s: float = 2.0


class OpenBatch:
    """The batch that is being filled.

    When progress has a batch whose sending had begun, that one is made first: it is closed at
    exactly its bounds, whatever the limits say.

    Args:
        partition_id: Whose events these are.
        limits: When it is full.
        selection: What is asked for now.
        progress: Where reading begins.

    Attributes:
        again: Bounds of the batch to be made again; None when that is done.
        bookmark: Up to where the source was read and all its events were put here.
    """

    def __init__(
        self, partition_id: int, limits: Limits, selection: Selection, progress: Progress
    ) -> None:
        self.again = progress.pending
        self.bookmark = progress.bookmark
        self._partition_id = partition_id
        self._limits = limits
        self._now = selection
        self._before = Selection.of(self.again.selection) if self.again else selection
        self._events: list[Event] = []
        self._size_bytes = _ENVELOPE_BYTES
        self._due_at_s = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send."""
        return not self._events

    @property
    def oldest_ms(self) -> int | None:
        """The broker's time of its first event; None while it is empty."""
        return self._events[0].timestamp_ms if self._events else None

    @property
    def due_at_s(self) -> float | None:
        """When it is to be sent for its age; None while it is empty or must be made whole again."""
        return None if self.is_empty or self.again else self._due_at_s

    @property
    def is_full(self) -> bool:
        """Whether nothing more belongs in it."""
        if self.again is not None:
            return bool(self._events) and self._events[-1].position >= self.again.last
        return len(self._events) >= self._limits.count

    def selection(self, position: int) -> Selection:
        """What is asked for at a position: what was, within a batch that is made again."""
        return self._before if self.again and position <= self.again.last else self._now

    def extend(self, events: Sequence[Event], begin: int, clock: Clock) -> int:
        """Put events in, the next of the log, for as long as they belong here.

        Args:
            events: What to put in.
            begin: Index of the first one.
            clock: For the age of the batch.

        Returns:
            Index of the first one that does not belong here any more.
        """
        mine, limits, size_bytes = self._events, self._limits, self._size_bytes
        for index in range(begin, len(events)):
            event = events[index]
            event_bytes = len(event.json)
            if not mine:
                self._begin(event, clock)
            elif self.again is not None:
                if event.position > self.again.last:
                    break
            elif len(mine) >= limits.count or size_bytes + event_bytes > limits.size_bytes:
                break
            mine.append(event)
            size_bytes += event_bytes + 1
        else:
            index = len(events)
        self._size_bytes = size_bytes
        return index

    def _begin(self, event: Event, clock: Clock) -> None:
        self._due_at_s = clock.monotonic_s() + self._limits.age_s
        if self.again is not None and event.position > self.again.last:
            self.again = None  # the source no longer has any of it

    def close(self) -> Batch:
        """The batch as it is, not empty; the next one is begun."""
        selection = self._before if self.again else self._now
        batch = Batch(self._partition_id, tuple(self._events), self.bookmark, selection.text)
        self.again = None
        self._events = []
        self._size_bytes = _ENVELOPE_BYTES
        return batch
