from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.errors import SourceRefused, SourceUnavailable
from exporter.progress import Progress
from exporter.record import Fault
from exporter.sources import SCHEMES, open_source, probe, unknown_scheme
from exporter.sources.log_files.tail import OpenFile, identity_of
from tests.kit.clock import FakeClock
from tests.kit.exporter import drive
from tests.kit.loop import quiet
from tests.kit.record_source import options_of, reading
from tests.kit.records import append, other_line, task_line


@asynccontextmanager
async def reading_from(pattern, clock, tmp_path, *, partition=1, progress=None, **changes):
    """A read of a partition of files that match a pattern."""
    options = options_of(f"file://{pattern}", clock, tmp_path, **changes)
    async with (
        open_source(options) as source,
        reading(source, clock, partition, progress) as read,
    ):
        read.source = source
        read.observer = options.observer
        yield read


def positions_are(read, positions):
    def holds():
        if read.task.done():
            read.task.result()
        return read.positions == positions

    return holds


async def test_a_file_is_followed_as_it_grows(tmp_path, clock):
    """Lines come as they are written, also when the file comes after the start."""
    log = tmp_path / "r.jsonl"
    async with reading_from(log, clock, tmp_path) as read:
        await clock.advance(1.0)
        append(log, task_line(1), other_line(2))
        await drive(clock, positions_are(read, [1]))
        append(log, task_line(3), task_line(4))
        await drive(clock, positions_are(read, [1, 3, 4]))


async def test_a_line_is_read_when_it_is_whole(tmp_path, clock):
    """Half a line is left until its end is written."""
    log = tmp_path / "r.jsonl"
    line = task_line(2)
    append(log, task_line(1), line[:100])
    async with reading_from(log, clock, tmp_path) as read:
        await drive(clock, positions_are(read, [1]))
        await clock.advance(3.0)
        append(log, line[100:])
        await drive(clock, positions_are(read, [1, 2]))


async def test_reading_goes_on_at_the_bookmark(tmp_path, clock):
    """A bookmark names the place behind its chunk, for this process and the next."""
    log = tmp_path / "r.jsonl"
    append(log, task_line(1), task_line(2))
    async with reading_from(log, clock, tmp_path) as read:
        await drive(clock, positions_are(read, [1, 2]))
        progress = read.progress
    append(log, task_line(3))
    async with reading_from(log, clock, tmp_path, progress=progress) as read:
        await drive(clock, positions_are(read, [3]))


async def test_a_renamed_file_is_read_to_its_end(tmp_path, clock):
    """A rotation that renames loses nothing and repeats nothing, matched by the pattern or not."""
    log = tmp_path / "r.jsonl"
    append(log, task_line(1))
    async with reading_from(log, clock, tmp_path) as read:
        await drive(clock, positions_are(read, [1]))
        append(log, task_line(2))
        log.rename(tmp_path / "gone")
        append(log, task_line(3))
        await drive(clock, positions_are(read, [1, 2, 3]))


async def test_a_rotation_while_nobody_reads_is_found_again(tmp_path, clock):
    """The file that was read in part is known by its first line under its new name."""
    log = tmp_path / "r.jsonl"
    append(log, task_line(1))
    async with reading_from(f"{log}*", clock, tmp_path) as read:
        await drive(clock, positions_are(read, [1]))
        progress = read.progress
    append(log, task_line(2))
    log.rename(tmp_path / "r.jsonl.1")
    append(log, task_line(3))
    async with reading_from(f"{log}*", clock, tmp_path, progress=progress) as read:
        await drive(clock, positions_are(read, [2, 3]))


async def test_a_copy_and_a_cut_lose_nothing(tmp_path, clock):
    """A rotation that copies the file and cuts it to nothing is read on in the copy."""
    log = tmp_path / "r.jsonl"
    append(log, task_line(1))
    async with reading_from(f"{log}*", clock, tmp_path) as read:
        await drive(clock, positions_are(read, [1]))
        append(log, task_line(2))
        shutil.copy(log, tmp_path / "r.jsonl.1")
        log.write_bytes(b"")
        append(log, task_line(3))
        await drive(clock, positions_are(read, [1, 2, 3]))


async def test_a_cut_before_the_end_was_read_is_told(tmp_path, clock):
    """What was cut away before it was read, and is found in no copy, is a gap; reading goes on."""
    log = tmp_path / "r.jsonl"
    append(log, *(task_line(n) for n in range(1, 1000)))
    options = options_of(f"file://{log}", clock, tmp_path)
    async with open_source(options) as source:
        chunks = source.read(1, Progress())
        assert (await anext(chunks)).records[0].position == 1
        log.write_bytes(b"")
        append(log, task_line(1000))
        following = asyncio.ensure_future(anext(chunks))
        await drive(clock, following.done)
        assert [record.position for record in following.result().records] == [1000]
        await chunks.aclose()
    ((partition, reason),) = options.observer.gaps
    assert (partition, "were not read" in reason) == (1, True)


async def test_a_file_that_is_begun_anew_while_it_is_read_is_read_from_its_beginning(
    tmp_path, clock
):
    """Cut and already longer again than it was read, it gives none of its lines out of order."""
    log = tmp_path / "r.jsonl"
    append(log, *(task_line(n) for n in range(1, 1000)))
    options = options_of(f"file://{log}", clock, tmp_path)
    async with open_source(options) as source:
        chunks = source.read(1, Progress())
        await anext(chunks)
        log.write_bytes(b"".join(task_line(n) for n in range(2000, 3000)))
        following = asyncio.ensure_future(anext(chunks))
        await drive(clock, following.done)
        assert following.result().records[0].position == 2000
        await chunks.aclose()
    assert len(options.observer.gaps) == 1


async def test_files_are_read_from_the_oldest_on(tmp_path, clock):
    """The time of the first record decides, not the name."""
    append(tmp_path / "b.jsonl", task_line(1))
    append(tmp_path / "a.jsonl", task_line(2))
    append(tmp_path / "c.jsonl", task_line(3))
    async with reading_from(tmp_path / "*.jsonl", clock, tmp_path) as read:
        await drive(clock, positions_are(read, [1, 2, 3]))


async def test_each_lane_reads_its_own_partition(tmp_path, clock):
    """Of a file of several partitions a lane gets its own, and all are told of."""
    log = tmp_path / "r.jsonl"
    append(log, *(task_line(n, partition=1 + n % 3) for n in range(1, 10)))
    async with reading_from(log, clock, tmp_path, partition=2) as read:
        found = []

        async def watch():
            async for partition in read.source.partitions():
                found.append(partition)  # noqa: PERF401 - it never ends

        watching = asyncio.create_task(watch())
        await drive(clock, positions_are(read, [1, 4, 7]))
        await drive(clock, lambda: sorted(found) == [1, 3])
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_a_bookmark_waits_for_partitions_to_be_written_down(tmp_path, clock):
    """A chunk in which a new partition stands comes only when that partition is asked past."""
    log = tmp_path / "r.jsonl"
    append(log, task_line(1), task_line(2, partition=2))
    async with reading_from(log, clock, tmp_path) as read:
        await clock.advance(5.0)
        await quiet()
        assert read.chunks == []
        partitions = read.source.partitions()
        assert await anext(partitions) == 2
        asking = asyncio.ensure_future(anext(partitions))
        await drive(clock, positions_are(read, [1]))
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await partitions.aclose()


async def test_partitions_are_known_from_the_bookmark(tmp_path, clock):
    """After a restart the partitions of what was read are told, and it is not looked through."""
    log = tmp_path / "r.jsonl"
    append(log, task_line(1), task_line(2, partition=2))
    found = []

    async def watch(source):
        async for partition in source.partitions():
            found.append(partition)  # noqa: PERF401 - it never ends

    async with reading_from(log, clock, tmp_path) as read:
        watching = asyncio.create_task(watch(read.source))
        await drive(clock, positions_are(read, [1]))
        progress = read.progress
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    log.write_bytes(task_line(1) + task_line(2, partition=3))  # of the same length
    async with reading_from(log, clock, tmp_path, progress=progress) as read:
        watching = asyncio.create_task(watch(read.source))
        await drive(clock, lambda: found == [2, 2])
        await clock.advance(5.0)
        append(log, task_line(3))
        await drive(clock, positions_are(read, [3]))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert found == [2, 2]


@pytest.mark.parametrize("length", [1_048_576, 3_000_000])
async def test_a_line_that_is_too_long_is_passed_over(tmp_path, clock, length):
    """A line beyond the limit is told of by its beginning; what follows is read."""
    log = tmp_path / "r.jsonl"
    long = task_line(2, value={"userTaskKey": 1, "variables": {"x": "y" * length}})
    append(log, task_line(1), long, task_line(3))
    async with reading_from(log, clock, tmp_path, max_record_bytes=1 << 20) as read:
        await drive(clock, lambda: len(read.records) == 3)
        assert read.records[1].fault is Fault.TOO_LONG
        assert len(read.records[1].raw) < 10_000
        assert read.records[1].is_user_task


async def test_a_line_of_ten_megabytes_is_read(tmp_path, clock):
    """Length alone is no fault, as long as it is within the limit."""
    log = tmp_path / "r.jsonl"
    value = {"userTaskKey": 1, "variables": {"x": "y" * 10_000_000}}
    append(log, task_line(1), task_line(2, value=value), task_line(3))
    async with reading_from(log, clock, tmp_path, max_record_bytes=32 << 20) as read:
        await drive(clock, positions_are(read, [1, 2, 3]))


async def test_a_last_line_that_nobody_ends_is_given_up(tmp_path, clock):
    """When a newer file is there, a line without an end is taken as cut after some seconds."""
    append(tmp_path / "1.jsonl", task_line(1), task_line(2)[:300])
    append(tmp_path / "2.jsonl", task_line(3))
    async with reading_from(tmp_path / "*.jsonl", clock, tmp_path) as read:
        await drive(clock, lambda: len(read.records) == 3)
        assert sorted(read.positions) == [-1, 1, 3]
        assert next(r for r in read.records if r.position == -1).fault is Fault.CUT_OFF


async def test_a_file_that_cannot_be_read_is_no_end_of_reading(tmp_path, clock):
    """The system's refusal is a source that is away for now, so the lane comes again."""
    log = tmp_path / "r.jsonl"
    log.symlink_to(log)
    async with reading_from(log, clock, tmp_path) as read:
        await drive(clock, read.task.done)
        with pytest.raises(SourceUnavailable):
            read.task.result()


async def test_a_probe_wants_the_directory(tmp_path, clock):
    """A directory that is not there is a mistake in the settings; missing files may still come."""
    await probe(options_of(f"file://{tmp_path}/*.jsonl", clock, tmp_path))
    with pytest.raises(SourceRefused, match="is no directory"):
        await probe(options_of(f"file://{tmp_path}/nowhere/*.jsonl", clock, tmp_path))


@pytest.mark.parametrize("url", ["file://", "file:///", "file:"])
async def test_a_url_without_a_path_is_refused(url, tmp_path, clock):
    """The URL must name files."""
    with pytest.raises(SourceRefused, match="names no file"):
        async with open_source(options_of(url, clock, tmp_path)):
            pass


def test_every_scheme_of_the_contract_is_served():
    """Each scheme has its module; another is answered with the nearest."""
    assert all(unknown_scheme(scheme) is None for scheme in SCHEMES)
    assert unknown_scheme("flie") == "did you mean file://?"
    assert "kafka" in (unknown_scheme("rabbitmq") or "")


def test_blocks_that_are_in_memory_are_the_lines_of_the_file(tmp_path):
    """The fast way and the sure way give the same lines."""
    log = tmp_path / "r.jsonl"
    append(log, *(task_line(n) for n in range(1, 3000)))
    file = OpenFile(str(log), identity_of(task_line(1)), (0, ""))
    for read in (lambda at: file.read(at, 1 << 20), file.read_cached):
        offset, lines = 0, []
        while (block := read(offset)) is not None and block.lines:
            lines += block.lines
            offset = block.end
        assert b"".join(lines) in (log.read_bytes(), b"")
    file.close()


def test_a_file_is_closed_once(tmp_path):
    """A second time does nothing: its number may be another file's by then."""
    log = tmp_path / "r.jsonl"
    append(log, task_line(1))
    file = OpenFile(str(log), identity_of(task_line(1)), (0, ""))
    file.close()
    with log.open("rb") as other:  # has the number now
        file.close()
        assert other.read() == task_line(1)


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(st.sampled_from(["write", "half", "rename", "cut", "restart", "wait"]), max_size=15)
)
async def test_every_line_comes_once_whatever_is_done_to_the_files(tmp_path_factory, steps):
    """Over random writes, rotations of both kinds and restarts, each record comes once, in order.

    A line whose second half was never written is the one that may be missing.
    """
    directory = tmp_path_factory.mktemp("files")
    clock = FakeClock()
    log, pattern = directory / "r.jsonl", directory / "r.jsonl*"
    written, got, rest, rotations = [], [], b"", 0
    progress = Progress()

    def write(count, half):
        nonlocal rest
        for _ in range(count):
            line = task_line(len(written) + 1)
            append(log, rest + line)
            rest = b""
            written.append(len(written) + 1)
        if half:
            line = task_line(len(written) + 1)
            append(log, line[:150])
            rest = line[150:]
            written.append(len(written) + 1)

    for step in [*steps, "restart"]:
        if step in ("rename", "cut") and log.exists() and log.stat().st_size and not rest:
            rotations += 1
            copy = directory / f"r.jsonl.{rotations}"
            if step == "rename":
                log.rename(copy)
            else:
                shutil.copy(log, copy)
                log.write_bytes(b"")
        elif step in ("write", "half"):
            if rest:
                append(log, rest)
                rest = b""
            write(3, step == "half")
        elif step == "restart":
            async with reading_from(pattern, clock, directory, progress=progress) as read:
                missing = len(written) - len(got) - bool(rest)
                await drive(clock, lambda r=read, m=missing: len(r.positions) >= m)
                got += read.positions
                progress = read.progress if read.chunks else progress
    assert got == written[: len(got)]
    assert len(got) >= len(written) - 1


async def test_source_errors_are_of_our_tree(tmp_path, clock):
    """A pattern that the system refuses is a source that is not available now."""
    with pytest.raises(SourceUnavailable):
        await probe(options_of(f"file://{tmp_path}/{'d' * 300}/r", clock, tmp_path))
