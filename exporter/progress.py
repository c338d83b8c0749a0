from __future__ import annotations

from dataclasses import dataclass

NO_POSITION = -1
BEGINNING = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a batch consists of, so that it can be made again: written before it is first sent.

    Attributes:
        first: Position of its first event.
        last: Position of its last event.
        count: Number of its events.
        selection: What was asked for when it was made (`event.Selection.text`), since settings may
            have changed by the time it is made again.
    """

    first: int
    last: int
    count: int
    selection: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a partition is done.

    Attributes:
        position: Of the last event that was delivered or set aside; `NO_POSITION` when none was.
        bookmark: The source's own mark, opaque to all but the source: everything up to the end of
            the chunk that carried it is done. `BEGINNING` means the oldest record there is.
        pending: The batch whose sending had begun, None when there is none.
        timestamp_ms: The broker's time of the record at `position`; -1 when not known.
    """

    position: int = NO_POSITION
    bookmark: str = BEGINNING
    pending: Bounds | None = None
    timestamp_ms: int = -1
