from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from exporter.inbox import TABLES, Inbox
from exporter.sql import Schema


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

    # The queue's own tables, so that a record and its job are kept or lost together.
    schema: ClassVar[Schema] = Schema(
        application_id=0x4149584A,  # "AIXJ"
        tables=f"{TABLES}; CREATE TABLE jobs (job_key INTEGER PRIMARY KEY)",
    )

    async def keep(self, records: Sequence[Kept]) -> int:
        """Keep records whose jobs are not remembered; they are durable when this returns.

        Returns:
            How many were kept.

        Raises:
            InboxFull: There is no room for all of them; none was kept.
            StateError: The file cannot be written.
        """
        keys = [record.job_key for record in records]
        places = await self.put(
            [(record.partition_id, record.raw) for record in records],
            lambda db, index: _remember(db, keys[index]),
        )
        return len(places)

    async def unsettled(self) -> Sequence[int]:
        """Keys of the jobs that are remembered, oldest first."""
        rows = await self.database.ask(
            lambda db: db.execute("SELECT job_key FROM jobs ORDER BY job_key").fetchall()
        )
        return [job_key for (job_key,) in rows]

    async def settle(self, job_keys: Iterable[int]) -> None:
        """Remember these jobs no longer."""
        rows = [(job_key,) for job_key in job_keys]
        await self.database.change(
            lambda db: db.executemany("DELETE FROM jobs WHERE job_key = ?", rows)
        )


def _remember(db: sqlite3.Connection, job_key: int) -> bool:
    """Whether the job was not remembered."""
    return bool(db.execute("INSERT OR IGNORE INTO jobs VALUES (?)", (job_key,)).rowcount)
