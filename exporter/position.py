"""How far each partition is done, in the state file; only ever forward, unless the user says so."""

from __future__ import annotations

import sqlite3

from exporter.errors import PositionWentBack
from exporter.progress import BEGINNING, Bounds, Progress

TABLE = """
CREATE TABLE positions (
    partition_id INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    source TEXT NOT NULL,
    bookmark TEXT NOT NULL,
    pending_first INTEGER,
    pending_last INTEGER,
    pending_count INTEGER,
    pending_selection TEXT,
    changed_ms INTEGER NOT NULL
)
"""

_MOVE = """
INSERT INTO positions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (partition_id) DO UPDATE SET
    position = excluded.position,
    timestamp_ms = excluded.timestamp_ms,
    source = excluded.source,
    bookmark = excluded.bookmark,
    pending_first = excluded.pending_first,
    pending_last = excluded.pending_last,
    pending_count = excluded.pending_count,
    pending_selection = excluded.pending_selection,
    changed_ms = excluded.changed_ms
WHERE excluded.position >= positions.position
"""

_READ = """
SELECT partition_id, position, timestamp_ms, source, bookmark,
       pending_first, pending_last, pending_count, pending_selection
FROM positions ORDER BY partition_id
"""


_Row = tuple[int, int, int, str, str, int | None, int | None, int | None, str | None]


def positions(db: sqlite3.Connection, source: str | None) -> dict[int, Progress]:
    """Progress by partition.

    Args:
        db: The state file.
        source: Which source is read now. Another one's bookmarks mean nothing to it, but Zeebe's
            positions are the same in each. None takes every bookmark.
    """
    return {row[0]: _progress(row, source) for row in db.execute(_READ)}


def move(
    db: sqlite3.Connection, partition_id: int, progress: Progress, *, source: str, now_ms: int
) -> None:
    """Write down how far a partition is done.

    Raises:
        PositionWentBack: What is written there is further already.
    """
    pending = progress.pending
    bounds = (
        (None, None, None, None)
        if pending is None
        else (pending.first, pending.last, pending.count, pending.selection)
    )
    row = (
        partition_id,
        progress.position,
        progress.timestamp_ms,
        source,
        progress.bookmark,
        *bounds,
        now_ms,
    )
    if db.execute(_MOVE, row).rowcount != 1:
        raise PositionWentBack(
            f"partition {partition_id} is further in the state file than this process knows; "
            "another one must have moved it: run one at a time on a state directory"
        )


def rewind_all(db: sqlite3.Connection) -> None:
    """Begin every partition anew, as `--from-beginning` asks."""
    db.execute("DELETE FROM positions")


def rewind(db: sqlite3.Connection, partition_id: int, first: int, *, now_ms: int) -> None:
    """Make `first` the first position that is read of a partition, as `--from-position` asks."""
    db.execute("DELETE FROM positions WHERE partition_id = ?", (partition_id,))
    move(db, partition_id, Progress(first - 1), source=BEGINNING, now_ms=now_ms)


def _progress(row: _Row, source: str | None) -> Progress:
    _, position, timestamp_ms, of_source, bookmark, first, last, count, selection = row
    pending = None
    if first is not None and last is not None and count is not None and selection is not None:
        pending = Bounds(first, last, count, selection)
    return Progress(
        position=position,
        bookmark=bookmark if source in (None, of_source) else BEGINNING,
        pending=pending,
        timestamp_ms=timestamp_ms,
    )
