from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from exporter import deadletter, position
from exporter.deadletter import Letter, Size
from exporter.progress import Progress
from exporter.sql import Database, Schema, look_into, open_database
from runtime.clock import Clock

FILE = "exporter.sqlite3"
SCHEMA = Schema(application_id=0x41495850, tables=f"{position.TABLE}; {deadletter.TABLE}")  # "AIXP"

T = TypeVar("T")


class State:
    """Positions and dead letters: one file, so that both change in one transaction.

    Args:
        database: The open file.
        source: Names the source whose bookmarks count; holds no credentials. None counts all, to
            look at them; nothing can be moved then.
        limit_bytes: Size that the dead letters may reach.
        clock: For the times that are written down.
    """

    def __init__(
        self, database: Database, source: str | None, limit_bytes: int, clock: Clock
    ) -> None:
        self._database = database
        self._source = source
        self._limit_bytes = limit_bytes
        self._clock = clock

    async def positions(self) -> dict[int, Progress]:
        """Progress by partition."""
        return await self._database.ask(lambda db: position.positions(db, self._source))

    async def commit(
        self, partition_id: int, progress: Progress, letters: Sequence[Letter] = ()
    ) -> None:
        """Move a partition on and set letters aside, both or neither; durable on return.

        Raises:
            DeadLettersFull: There is no room for the letters.
            StateUnavailable: The file cannot be written now.
            PositionWentBack: Another process moved the partition.
            StateUnusable: The file is broken.
        """
        now_ms = self._clock.now_ms()

        def work(db: sqlite3.Connection) -> None:
            if letters:
                deadletter.set_aside(db, letters, self._limit_bytes)
            position.move(db, partition_id, progress, source=self._source or "", now_ms=now_ms)

        await self._database.change(work)

    async def set_aside(self, letters: Sequence[Letter]) -> None:
        """Set letters aside and move nothing; raises as `commit` does."""
        await self._database.change(lambda db: deadletter.set_aside(db, letters, self._limit_bytes))

    async def rewind_all(self) -> None:
        """Begin every partition anew."""
        await self._database.change(position.rewind_all)

    async def rewind(self, partition_id: int, first: int) -> None:
        """Make `first` the first position that is read of a partition."""
        now_ms = self._clock.now_ms()
        await self._database.change(
            lambda db: position.rewind(db, partition_id, first, now_ms=now_ms)
        )

    async def letters(self, first: int, last: int) -> Sequence[Letter]:
        """Letters by id, in order, without bodies."""
        return await self._database.ask(lambda db: deadletter.letters(db, first, last))

    async def body(self, letter_id: int) -> bytes | None:
        """The body of a letter; None when it is gone."""
        return await self._database.ask(lambda db: deadletter.body(db, letter_id))

    async def remove(self, letter_id: int) -> None:
        """Forget a letter that was delivered after all."""
        await self._database.change(lambda db: deadletter.remove(db, letter_id))

    async def dead_letters(self) -> Size:
        """How much is set aside."""
        return await self._database.ask(deadletter.size)

    def close(self) -> None:
        """Finish what was asked and close the file."""
        self._database.close()


async def open_state(state_dir: Path, source: str | None, limit_bytes: int, clock: Clock) -> State:
    """The state in a directory, made new when there is none.

    Raises:
        StateUnavailable: The directory or file cannot be used now.
        StateUnusable: The file is cut, empty, foreign or newer; it is left as it is.
    """
    database = await asyncio.to_thread(open_database, state_dir / FILE, SCHEMA)
    return State(database, source, limit_bytes, clock)


async def look_into_state(state_dir: Path, source: str | None, clock: Clock) -> State:
    """The state of a directory that has one, only to read; nothing is made or changed.

    Raises:
        StateUnavailable: The file cannot be read now, or could not be written.
        StateUnusable: It is cut, empty, foreign or newer.
    """
    database = await asyncio.to_thread(look_into, state_dir / FILE, SCHEMA)
    return State(database, source, 0, clock)
