from __future__ import annotations

import resource
import sqlite3
from contextlib import asynccontextmanager, closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter import deadletter
from exporter.deadletter import Letter
from exporter.errors import (
    DeadLettersFull,
    PositionWentBack,
    StateUnavailable,
    StateUnusable,
)
from exporter.progress import Bounds, Progress
from exporter.record import Fault, Unreadable
from exporter.sql import Schema, open_database
from exporter.state import FILE, SCHEMA, open_state
from tests.kit.clock import FakeClock

PENDING = Bounds(8, 12, 5, "USER_TASK")


@asynccontextmanager
async def opened(directory, source="file:///a", limit_bytes=1 << 20):
    state = await open_state(directory, source, limit_bytes, FakeClock())
    try:
        yield state
    finally:
        state.close()


def letter(number: int, size: int = 10) -> Letter:
    return Letter("batch", 1, number, number, 1, "no", 400, {"A": "b"}, 5, b"x" * size)


async def test_progress_survives_a_restart(tmp_path):
    """What was written down is there again: position, bookmark, time and the begun batch."""
    progress = Progress(7, "mark", PENDING, 1234)
    async with opened(tmp_path) as state:
        await state.commit(3, progress)
    async with opened(tmp_path) as state:
        assert await state.positions() == {3: progress}


async def test_commits_are_synced_to_disk(tmp_path):
    """The file is in write-ahead mode with full sync: a commit outlives a power cut."""
    async with opened(tmp_path) as state:
        modes = await state._database.ask(
            lambda db: [
                db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous")
            ]
        )
    assert modes == ["wal", 2]


async def test_a_position_never_goes_back(tmp_path):
    """A lower position is refused, and what was there stays."""
    async with opened(tmp_path) as state:
        await state.commit(1, Progress(7))
        with pytest.raises(PositionWentBack):
            await state.commit(1, Progress(6))
        assert (await state.positions())[1].position == 7


async def test_only_the_user_moves_a_position_back(tmp_path):
    """`--from-position` and `--from-beginning` move it where they say."""
    async with opened(tmp_path) as state:
        await state.commit(1, Progress(7, "mark", PENDING))
        await state.commit(2, Progress(9))
        await state.rewind(1, 5)
        assert (await state.positions())[1] == Progress(4)
        await state.rewind_all()
        assert await state.positions() == {}


async def test_another_sources_bookmark_means_nothing(tmp_path):
    """When the source changes the position stays, and the new source begins at its beginning."""
    async with opened(tmp_path, source="file:///a") as state:
        await state.commit(1, Progress(7, "mark"))
    async with opened(tmp_path, source="redis://b") as state:
        assert await state.positions() == {1: Progress(7)}


async def test_a_letter_and_its_position_are_written_together(tmp_path):
    """Setting a batch aside and moving past it is one change: when one fails, neither is there."""
    async with opened(tmp_path, limit_bytes=600) as state:
        await state.commit(1, Progress(1), [letter(1)])
        with pytest.raises(DeadLettersFull):
            await state.commit(1, Progress(2), [letter(2, 400)])
        with pytest.raises(PositionWentBack):
            await state.commit(1, Progress(0), [letter(3)])
        assert (await state.positions())[1].position == 1
        assert (await state.dead_letters()).count == 1


async def test_a_letter_is_kept_once(tmp_path):
    """The same thing set aside again, as after a crash in between, is one letter."""
    async with opened(tmp_path) as state:
        await state.set_aside([letter(1)])
        await state.set_aside([letter(1), letter(2)])
        assert [kept.first for kept in await state.letters(0, deadletter.LAST_ID)] == [1, 2]


async def test_a_letter_comes_back_as_it_was(tmp_path):
    """A letter holds all that is known of why, and what was to be sent."""
    record = Unreadable(2, 9, Fault.VALUE, "no such thing", b"raw \xff")
    async with opened(tmp_path) as state:
        await state.set_aside([letter(1), deadletter.of_record(record, now_ms=77)])
        first, second = await state.letters(0, deadletter.LAST_ID)
        assert (first.status, first.headers, first.reason) == (400, {"A": "b"}, "no")
        assert (second.kind, second.partition_id, second.first) == ("record", 2, 9)
        assert second.reason == "value: no such thing"
        assert await state.body(second.id) == b"raw \xff"
        await state.remove(second.id)
        assert await state.body(second.id) is None


async def test_removing_letters_makes_room(tmp_path):
    """A full file of dead letters takes letters again once some are gone."""
    async with opened(tmp_path, limit_bytes=600) as state:
        await state.set_aside([letter(1), letter(2)])
        with pytest.raises(DeadLettersFull):
            await state.set_aside([letter(3, 100)])
        (first, _) = await state.letters(0, deadletter.LAST_ID)
        await state.remove(first.id)
        await state.set_aside([letter(3, 10)])


async def test_two_processes_may_use_the_file(tmp_path):
    """A redrive beside the running service reads and removes while the service commits."""
    async with opened(tmp_path) as service, opened(tmp_path, source=None) as redrive:
        for number in range(1, 20):
            await service.commit(1, Progress(number), [letter(number)])
            (kept,) = await redrive.letters(0, deadletter.LAST_ID)
            await redrive.remove(kept.id)
        assert (await service.dead_letters()).count == 0


def _empty(path):
    path.write_bytes(b"")


def _cut(path):
    path.write_bytes(path.read_bytes()[:5000])


def _cut_within_the_header(path):
    path.write_bytes(path.read_bytes()[:50])


def _garbage(path):
    path.write_bytes(b"not a database, but long enough to look like a file of something" * 99)


def _damaged(path):
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xa5" * 4096
    path.write_bytes(content)


def _newer(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")


def _foreign(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (a)")


FAULTS = [_empty, _cut, _cut_within_the_header, _garbage, _damaged, _newer, _foreign]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.strip("_"))
async def test_a_state_that_cannot_be_read_stops_the_start(fault, tmp_path):
    """The start is refused with a way out, and the file is left as it is: nothing begins anew."""
    async with opened(tmp_path) as state:
        for partition in range(1, 40):
            await state.commit(partition, Progress(7, "m" * 500), [letter(partition, 900)])
    path = tmp_path / FILE
    fault(path)
    before = path.read_bytes()
    with pytest.raises(StateUnusable, match="--from-beginning or --from-position"):
        await open_state(tmp_path, "file:///a", 1 << 20, FakeClock())
    assert path.read_bytes() == before


async def test_a_crash_while_the_file_is_made_leaves_no_empty_one(tmp_path):
    """What an unfinished start left behind is made anew, not taken for a state."""
    (tmp_path / f"{FILE}.new").write_bytes(b"half")
    async with opened(tmp_path) as state:
        assert await state.positions() == {}


async def test_an_older_schema_is_led_to_the_newer(tmp_path):
    """A file of the version before is migrated; its content stays."""
    async with opened(tmp_path) as state:
        await state.commit(1, Progress(7))
    newer = Schema(
        SCHEMA.application_id, SCHEMA.tables, ("ALTER TABLE positions ADD COLUMN added TEXT",)
    )
    database = open_database(tmp_path / FILE, newer)
    row = await database.ask(
        lambda db: db.execute("SELECT position, added FROM positions").fetchone()
    )
    database.close()
    assert row == (7, None)
    with pytest.raises(StateUnusable, match="newer version"):
        await open_state(tmp_path, "file:///a", 1 << 20, FakeClock())


async def test_a_full_disk_changes_nothing_and_may_pass(tmp_path):
    """When the file cannot grow the change is refused whole, and works again once there is room."""
    async with opened(tmp_path, limit_bytes=1 << 30) as state:
        await state.commit(1, Progress(1))
        await state._database.ask(lambda db: db.execute("PRAGMA max_page_count = 20").fetchone())
        with pytest.raises(StateUnavailable, match="disk is full"):
            await state.commit(1, Progress(2), [letter(1, 1 << 20)])
        assert (await state.positions())[1].position == 1
        await state._database.ask(lambda db: db.execute("PRAGMA max_page_count = 9999").fetchone())
        await state.commit(1, Progress(2), [letter(1, 1 << 20)])
        assert (await state.positions())[1].position == 2


async def test_a_file_that_may_not_grow_is_no_crash(tmp_path):
    """The system's refusal to write is told as that, and is over when writing is possible."""
    async with opened(tmp_path, limit_bytes=1 << 30) as state:
        await state.commit(1, Progress(1))
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        try:
            with pytest.raises(StateUnavailable):
                await state.commit(1, Progress(2), [letter(1, 1 << 20)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        await state.commit(1, Progress(2))
        assert (await state.positions())[1].position == 2


async def test_a_directory_that_cannot_be_had_is_told(tmp_path):
    """A state directory that is a file is an error with a remedy."""
    (tmp_path / "state").write_text("")
    with pytest.raises(StateUnavailable, match="check the directory"):
        await open_state(tmp_path / "state", "file:///a", 1 << 20, FakeClock())


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(-1, 50)), max_size=20))
async def test_positions_only_ever_rise(tmp_path, moves):
    """Whatever is written in whatever order, each partition's position is the highest so far."""
    highest = {}
    async with opened(tmp_path) as state:
        await state.rewind_all()
        for partition, position in moves:
            try:
                await state.commit(partition, Progress(position))
            except PositionWentBack:
                assert position < highest[partition]
            highest[partition] = max(position, highest.get(partition, -1))
        found = {partition: done.position for partition, done in (await state.positions()).items()}
    assert found == highest
