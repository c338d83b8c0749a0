"""SQLite as both of our files use it: one thread a file, each change durable when it returns."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from exporter.errors import StateError, StateUnavailable, StateUnusable

T = TypeVar("T")

_BUSY_S = 5.0
_HEADER = b"SQLite format 3\x00"
# What may pass by itself or with a free disk; any other database error means the file is broken.
_PASSING = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
    }
)


class Schema:
    """What a file of ours must look like.

    Args:
        application_id: Marks the file as ours (SQLite's `PRAGMA application_id`).
        version: Of the tables; a file of a higher one is refused, one of a lower one is migrated.
        tables: Statements that make version 1.
        migrations: Statements that lead from version 1 to 2, from 2 to 3 and so on.
    """

    def __init__(self, application_id: int, tables: str, migrations: tuple[str, ...] = ()) -> None:
        self.application_id = application_id
        self.tables = tables
        self.migrations = migrations
        self.version = 1 + len(migrations)


class Database:
    """One file, used from one thread of its own, so that a slow disk never blocks the event loop.

    Close it when done; whatever was asked before is finished first.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"sqlite-{path.stem}")

    async def change(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction; what it changed is durable when this returns.

        Raises:
            StateUnavailable: The file cannot be written now; nothing was changed.
            StateUnusable: The file is broken.
        """
        return await self._run(lambda: self._in_transaction(work))

    async def ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work`, which only reads; raises as `change` does."""
        return await self._run(lambda: self._translated(work))

    def close(self) -> None:
        """Finish what was asked and close the file."""
        self._thread.submit(self._connection.close).result()
        self._thread.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        # A caller that is cancelled must not leave a change half told: it is finished regardless.
        return await asyncio.shield(future)

    def _in_transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with translating(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            return result

    def _translated(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with translating(self.path):
            return work(self._connection)


@contextmanager
def translating(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours.

    Raises:
        StateUnavailable: It may pass: disk full, locked, not permitted.
        StateUnusable: The file is broken.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _translated(path, error) from error


def _translated(path: Path, error: sqlite3.DatabaseError) -> StateError:
    # An extended code keeps the primary one in its lowest byte.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StateUnavailable(f"{path} cannot be written: the disk is full; make room")
    if code in _PASSING:
        return StateUnavailable(
            f"{path} cannot be used now ({error}); check its permissions, its disk and who holds it"
        )
    return StateUnusable(f"{path} cannot be read ({error}); {_way_out(path)}")


def open_database(path: Path, schema: Schema) -> Database:
    """Open a file of ours, made new when there is none.

    Raises:
        StateUnavailable: It cannot be opened now.
        StateUnusable: It is empty, cut, foreign or of a newer schema; it is left as it is.
    """
    try:
        if path.exists():
            _refuse_what_is_no_database(path, schema)
        else:
            _create(path, schema)
    except OSError as error:
        raise StateUnavailable(
            f"{path} cannot be opened ({error.strerror}); check the directory and its permissions"
        ) from error
    with translating(path):
        connection = _connect(path)
        try:
            _refuse_what_is_newer_or_damaged(path, connection, schema)
            _migrate(connection, schema)
        except BaseException:
            connection.close()
            raise
    return Database(path, connection)


def look_into(path: Path, schema: Schema) -> Database:
    """Open a file of ours only to read; nothing is made, changed or left beside it.

    Raises:
        StateUnavailable: It cannot be read now, or could not be written.
        StateUnusable: It is empty, cut, foreign or of a newer schema.
    """
    try:
        _refuse_what_is_no_database(path, schema)
    except OSError as error:
        raise StateUnavailable(
            f"{path} cannot be read ({error.strerror}); check its permissions"
        ) from error
    if not os.access(path, os.W_OK):
        raise StateUnavailable(f"{path} cannot be written; check its owner and permissions")
    with translating(path):
        # Without a log beside it nobody has it open, and a look would leave an empty one behind.
        mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?{mode}",
            timeout=_BUSY_S,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )
        try:
            _refuse_what_is_newer_or_damaged(path, connection, schema)
        except BaseException:
            connection.close()
            raise
    return Database(path, connection)


def _connect(path: Path) -> sqlite3.Connection:
    # One thread at a time uses it, but not the one that opened it.
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _create(path: Path, schema: Schema) -> None:
    """Make the file under another name first: a crash must not leave an empty one behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    with translating(path):
        connection = sqlite3.connect(unfinished, isolation_level=None)
        try:
            connection.executescript(
                f"BEGIN; {schema.tables}; PRAGMA application_id = {schema.application_id}; "
                "PRAGMA user_version = 1; COMMIT;"
            )
        finally:
            connection.close()
    unfinished.replace(path)


def _refuse_what_is_no_database(path: Path, schema: Schema) -> None:
    """Look at the header (sqlite.org/fileformat2.html, 1.3) before SQLite touches the file."""
    with path.open("rb") as file:
        header = file.read(100)
    if not header:
        raise StateUnusable(f"{path} is empty; {_way_out(path)}")
    if not header.startswith(_HEADER):
        raise StateUnusable(f"{path} is no SQLite file; {_way_out(path)}")
    page_bytes = int.from_bytes(header[16:18], "big")
    page_bytes = 65_536 if page_bytes == 1 else page_bytes
    if path.stat().st_size % (page_bytes or 1) or not page_bytes:
        raise StateUnusable(f"{path} is cut off; {_way_out(path)}")
    if int.from_bytes(header[68:72], "big") != schema.application_id:
        raise StateUnusable(f"{path} belongs to another program; {_way_out(path)}")


def _refuse_what_is_newer_or_damaged(
    path: Path, connection: sqlite3.Connection, schema: Schema
) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > schema.version:
        raise StateUnusable(
            f"{path} was written by a newer version of this program (schema {version}, this one "
            f"knows {schema.version}); use that version, or {_way_out(path)}"
        )
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise StateUnusable(f"{path} is damaged ({verdict}); {_way_out(path)}")


def _migrate(connection: sqlite3.Connection, schema: Schema) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, statements in enumerate(schema.migrations[version - 1 :], start=version + 1):
        connection.executescript(f"BEGIN; {statements}; PRAGMA user_version = {number}; COMMIT;")


def _way_out(path: Path) -> str:
    return (
        f"restore it from a backup, or move {path.name}, {path.name}-wal and {path.name}-shm away "
        "and say where to begin with --from-beginning or --from-position PARTITION:POSITION"
    )
