"""Batches that the backend refuses and records that cannot be read, kept until redriven."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import orjson

from exporter.batch import Batch
from exporter.errors import DeadLettersFull
from exporter.record import Unreadable

TABLE = """
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    partition_id INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL,
    reason TEXT NOT NULL,
    status INTEGER,
    headers TEXT NOT NULL,
    set_aside_ms INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX dead_letter_sizes ON dead_letters (size_bytes)
"""

_COLUMNS = (
    "id, kind, partition_id, first, last, count, reason, status, headers, set_aside_ms, size_bytes"
)
_LIST = f"SELECT {_COLUMNS} FROM dead_letters WHERE id BETWEEN ? AND ? ORDER BY id"  # noqa: S608 - our own columns
_ROW_OVERHEAD_BYTES = 256
LAST_ID = 2**63 - 1

Kind = Literal["batch", "record"]


@dataclass(frozen=True, slots=True)
class Letter:
    """What was set aside.

    Attributes:
        kind: A batch that the backend refused, or a record that cannot become an event.
        partition_id: Whose it is; `record.UNKNOWN_PARTITION` when it cannot be told.
        first: Position of the first event, or of the record; `record.UNKNOWN_POSITION` likewise.
        last: Position of the last.
        count: Events; 1 for a record.
        reason: Why, in words, without values.
        status: The backend's HTTP status; None for a record.
        headers: Of the backend's answer.
        body: The request's body, or the record as it came.
        set_aside_ms: When.
        id: Place in the order of setting aside, from 1; 0 while it is not kept yet.
        size_bytes: What it takes.
    """

    kind: Kind
    partition_id: int
    first: int
    last: int
    count: int
    reason: str
    status: int | None
    headers: Mapping[str, str]
    set_aside_ms: int
    body: bytes
    id: int = 0
    size_bytes: int = 0

    @property
    def idempotency_key(self) -> str:
        """The key that it was or would have been sent with."""
        return f"{self.partition_id}-{self.first}-{self.last}"

    @property
    def digest(self) -> bytes:
        """Tells the same thing set aside twice, which a crash in between can make happen."""
        text = f"{self.kind} {self.idempotency_key} ".encode()
        return blake2b(text + self.body, digest_size=16).digest()


def of_batch(
    batch: Batch, *, reason: str, status: int | None, headers: Mapping[str, str], now_ms: int
) -> Letter:
    """A batch that is itself the problem."""
    bounds = batch.bounds
    return Letter(
        "batch",
        batch.partition_id,
        bounds.first,
        bounds.last,
        bounds.count,
        reason,
        status,
        headers,
        now_ms,
        batch.body,
    )


def of_record(record: Unreadable, *, now_ms: int) -> Letter:
    """A record that cannot become an event."""
    return Letter(
        "record",
        record.partition_id,
        record.position,
        record.position,
        1,
        f"{record.fault}: {record.reason}",
        None,
        {},
        now_ms,
        record.raw,
    )


def set_aside(db: sqlite3.Connection, letters: Iterable[Letter], limit_bytes: int) -> None:
    """Keep letters; one that is kept already is not kept twice.

    Raises:
        DeadLettersFull: They do not fit into `limit_bytes` with what is there.
    """
    left_bytes = limit_bytes - size(db).bytes
    for letter in letters:
        size_bytes = len(letter.body) + _ROW_OVERHEAD_BYTES
        row = (
            letter.digest,
            letter.kind,
            letter.partition_id,
            letter.first,
            letter.last,
            letter.count,
            letter.reason,
            letter.status,
            orjson.dumps(dict(letter.headers)).decode(),
            letter.set_aside_ms,
            size_bytes,
            letter.body,
        )
        added = db.execute(
            "INSERT OR IGNORE INTO dead_letters (digest, kind, partition_id, first, last, count, "
            "reason, status, headers, set_aside_ms, size_bytes, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        ).rowcount
        left_bytes -= size_bytes * added
        if left_bytes < 0:
            raise DeadLettersFull(
                "the dead letters have reached their size limit; redrive them, or raise "
                "APP_INTEGRATIONS_DEAD_LETTERS_MAX_BYTES"
            )


@dataclass(frozen=True, slots=True)
class Size:
    """How much is set aside."""

    count: int
    bytes: int


def size(db: sqlite3.Connection) -> Size:
    """How much is set aside."""
    return Size(
        *db.execute("SELECT COUNT(*), COALESCE(SUM(size_bytes), 0) FROM dead_letters").fetchone()
    )


def letters(db: sqlite3.Connection, first: int = 0, last: int = LAST_ID) -> Sequence[Letter]:
    """Those with ids from `first` to `last`, in order, without their bodies."""
    return [
        Letter(
            kind=row[1],
            partition_id=row[2],
            first=row[3],
            last=row[4],
            count=row[5],
            reason=row[6],
            status=row[7],
            headers=orjson.loads(row[8]),
            set_aside_ms=row[9],
            size_bytes=row[10],
            body=b"",
            id=row[0],
        )
        for row in db.execute(_LIST, (first, last))
    ]


def body(db: sqlite3.Connection, letter_id: int) -> bytes | None:
    """The body of one; None when there is no such letter (any more)."""
    row = db.execute("SELECT body FROM dead_letters WHERE id = ?", (letter_id,)).fetchone()
    return None if row is None else bytes(row[0])


def remove(db: sqlite3.Connection, letter_id: int) -> None:
    """Forget one that was delivered after all."""
    db.execute("DELETE FROM dead_letters WHERE id = ?", (letter_id,))
