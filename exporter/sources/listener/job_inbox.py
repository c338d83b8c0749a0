from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from exporter import inbox as queue
from exporter.errors import InboxFull
from exporter.inbox import Inbox
from exporter.sql import Schema, open_database

_SCHEMA = Schema(
    application_id=0x4149584A,  # "AIXJ"
    # The queue's own tables, so that a record and its job are kept or lost together.
    tables=f"{queue._SCHEMA.tables}; CREATE TABLE jobs (job_key INTEGER PRIMARY KEY)",  # noqa: SLF001 - this is the same queue with a table more
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A record to keep, and the job that it was made of."""

    job_key: int
    partition_id: int
    raw: bytes


class JobInbox(Inbox):
    """An inbox that knows jobs: the record of a job is kept once, however often it comes.

    A job is remembered until `settle`: as long as the engine may give it out again.
    """

    async def keep(self, records: Sequence[Kept]) -> int:
        """Keep records whose jobs are not remembered; they are durable when this returns.

        Returns:
            How many were kept.

        Raises:
            InboxFull: There is no room for all of them; none was kept.
            StateError: The file cannot be written.
        """
        if self.waiting_bytes + sum(map(_size_bytes, records)) > self._limit_bytes:
            raise InboxFull("the inbox is full; it empties when the backend takes events again")
        fresh = await self._database.change(
            lambda db: [record for record in records if _insert(db, record)]
        )
        for record in fresh:
            before_bytes = self._waiting.get(record.partition_id, 0)
            self._waiting[record.partition_id] = before_bytes + _size_bytes(record)
            self._arrival(record.partition_id).set()
        self._appeared.set()
        return len(fresh)

    async def unsettled(self) -> Sequence[int]:
        """Keys of the jobs that are remembered, oldest first."""
        rows = await self._database.ask(
            lambda db: db.execute("SELECT job_key FROM jobs ORDER BY job_key").fetchall()
        )
        return [job_key for (job_key,) in rows]

    async def settle(self, job_keys: Iterable[int]) -> None:
        """Remember these jobs no longer."""
        rows = [(job_key,) for job_key in job_keys]
        await self._database.change(
            lambda db: db.executemany("DELETE FROM jobs WHERE job_key = ?", rows)
        )


async def open_job_inbox(state_dir: Path, limit_bytes: int) -> JobInbox:
    """The inbox, made new when there is none.

    Args:
        state_dir: Directory of durable files.
        limit_bytes: Size of the records that may wait.

    Raises:
        StateError: The file cannot be used.
    """
    path = state_dir / "inbox-listener.sqlite3"
    database = await asyncio.to_thread(open_database, path, _SCHEMA)
    waiting = await database.ask(queue._waiting)  # noqa: SLF001 - see above
    return JobInbox(database, limit_bytes, waiting)


def _insert(db: sqlite3.Connection, record: Kept) -> bool:
    """Whether the job was not remembered."""
    remembered = db.execute("INSERT OR IGNORE INTO jobs VALUES (?)", (record.job_key,))
    if not remembered.rowcount:
        return False
    queue._insert(db, record.partition_id, record.raw)  # noqa: SLF001 - see above
    return True


def _size_bytes(record: Kept) -> int:
    return len(record.raw) + queue._ROW_OVERHEAD_BYTES  # noqa: SLF001 - see above
