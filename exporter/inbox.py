from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from exporter.errors import InboxFull
from exporter.sql import Database, Schema, open_database

TABLES = """
    CREATE TABLE entries (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        partition_id INTEGER NOT NULL,
        raw BLOB NOT NULL,
        size_bytes INTEGER AS (LENGTH(raw) + 32)
    );
    CREATE INDEX by_partition ON entries (partition_id, place)
    """
_ROW_OVERHEAD_BYTES = 32

Admit = Callable[[sqlite3.Connection, int], bool]
"""Whether a record is kept, by its index among those that are put; asked within their transaction,
so that what it writes is kept or lost together with them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record that waits in the inbox.

    Attributes:
        place: Rising over all partitions and never used twice, also after a restart; text of it
            serves as bookmark.
        raw: The record's JSON.
    """

    place: int
    raw: bytes


class Inbox:
    """A durable queue for sources that are pushed to: what `put` took is there after a crash.

    Open it with `open`, close it with `close`. The sizes are kept in memory, so one process uses an
    inbox at a time (the lease of the source's partitions sees to that). A source that keeps more
    than records derives from it, with a `schema` of its own that holds `TABLES`.

    Args:
        database: The open file.
        limit_bytes: Size of the records that may wait; beyond it `put` raises.
        waiting: Bytes that wait already, by partition.

    Attributes:
        database: The open file, for tables of the source's own.
    """

    schema: ClassVar[Schema] = Schema(application_id=0x41495849, tables=TABLES)  # "AIXI"

    def __init__(self, database: Database, limit_bytes: int, waiting: dict[int, int]) -> None:
        self.database = database
        self._limit_bytes = limit_bytes
        self._waiting = waiting
        self._arrived: dict[int, asyncio.Event] = {}
        self._appeared = asyncio.Event()
        self._keeping: set[asyncio.Task[list[int]]] = set()

    @classmethod
    async def open(cls, state_dir: Path, name: str, limit_bytes: int) -> Self:
        """The inbox of a source, made new when there is none.

        Args:
            state_dir: Directory of durable files.
            name: Of the source; names the file.
            limit_bytes: See the class.

        Raises:
            StateError: The file cannot be used.
        """
        path = state_dir / f"inbox-{name}.sqlite3"
        database = await asyncio.to_thread(open_database, path, cls.schema)
        return cls(database, limit_bytes, await database.ask(_waiting))

    @property
    def waiting_bytes(self) -> int:
        """Size of the records that wait."""
        return sum(self._waiting.values())

    @property
    def partitions(self) -> tuple[int, ...]:
        """Partitions that records wait or waited of, in the order of their appearance."""
        return tuple(self._waiting)

    async def appeared(self, known: int) -> None:
        """Return when there are more than `known` partitions."""
        while len(self._waiting) <= known:
            self._appeared.clear()
            await self._appeared.wait()

    async def put(
        self, records: Iterable[tuple[int, bytes]], admit: Admit | None = None
    ) -> list[int]:
        """Keep records, each with its partition; they are durable when this returns.

        Args:
            records: Partition and JSON of each.
            admit: Which of them; None keeps all.

        Returns:
            The places of those that were kept, in the same order.

        Raises:
            InboxFull: There is no room for all of them; none was kept.
            StateError: The file cannot be written.
        """
        # A sender that hangs up must not leave records that nobody counted or was told of.
        keeping = asyncio.create_task(self._keep(tuple(records), admit), name="inbox")
        self._keeping.add(keeping)
        keeping.add_done_callback(self._keeping.discard)
        return await asyncio.shield(keeping)

    async def _keep(self, records: Sequence[tuple[int, bytes]], admit: Admit | None) -> list[int]:
        if self.waiting_bytes + sum(_size_bytes(raw) for _, raw in records) > self._limit_bytes:
            raise InboxFull("the inbox is full; it empties when the backend takes events again")

        def work(db: sqlite3.Connection) -> dict[int, tuple[int, bytes]]:
            return {
                _insert(db, *record): record
                for index, record in enumerate(records)
                if admit is None or admit(db, index)
            }

        kept = await self.database.change(work)
        for partition_id, raw in kept.values():
            self._waiting[partition_id] = self._waiting.get(partition_id, 0) + _size_bytes(raw)
            self._arrival(partition_id).set()
        self._appeared.set()
        return list(kept)

    async def take(self, partition_id: int, after: int, limit: int = 500) -> Sequence[Entry]:
        """The next entries of a partition whose place is beyond `after`; waits until there are any.

        They stay in the inbox until `forget`.
        """
        while True:
            arrival = self._arrival(partition_id)
            arrival.clear()
            rows = await self.database.ask(
                lambda db: db.execute(
                    "SELECT place, raw FROM entries WHERE partition_id = ? AND place > ? "
                    "ORDER BY place LIMIT ?",
                    (partition_id, after, limit),
                ).fetchall()
            )
            if rows:
                return [Entry(place, raw) for place, raw in rows]
            await arrival.wait()

    async def forget(self, partition_id: int, through: int) -> None:
        """Drop the entries of a partition up to and with place `through`."""
        freed_bytes = await self.database.change(lambda db: _delete(db, partition_id, through))
        self._waiting[partition_id] = self._waiting.get(partition_id, 0) - freed_bytes

    def close(self) -> None:
        """Finish what was asked and close the file."""
        self.database.close()

    def _arrival(self, partition_id: int) -> asyncio.Event:
        return self._arrived.setdefault(partition_id, asyncio.Event())


def _size_bytes(raw: bytes) -> int:
    return len(raw) + _ROW_OVERHEAD_BYTES


def _insert(db: sqlite3.Connection, partition_id: int, raw: bytes) -> int:
    row = db.execute("INSERT INTO entries (partition_id, raw) VALUES (?, ?)", (partition_id, raw))
    return int(row.lastrowid or 0)


def _delete(db: sqlite3.Connection, partition_id: int, through: int) -> int:
    place = (partition_id, through)
    (freed_bytes,) = db.execute(
        "SELECT COALESCE(SUM(size_bytes), 0) FROM entries WHERE partition_id = ? AND place <= ?",
        place,
    ).fetchone()
    db.execute("DELETE FROM entries WHERE partition_id = ? AND place <= ?", place)
    return int(freed_bytes)


def _waiting(db: sqlite3.Connection) -> dict[int, int]:
    return dict(
        db.execute(
            "SELECT partition_id, SUM(size_bytes) FROM entries GROUP BY partition_id ORDER BY 1"
        ).fetchall()
    )
