from __future__ import annotations

import shutil
import tempfile
import tracemalloc
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from exporter.sources.log_files.bookmark import read_bookmark
from exporter.sources.log_files.listing import Listing
from exporter.sources.log_files.reader import Reader
from tests.kit.opened import opened
from tests.kit.records import append, task_line

MANY = 500


class Lane:
    """A reader, and the positions that it has read."""

    def __init__(self, directory: Path, bookmark: str = "") -> None:
        self.directory = directory
        listing = Listing(f"{directory}/*.jsonl*")
        self.reader = Reader(listing, read_bookmark(bookmark), 1 << 20)
        self.positions: list[int] = []
        self.now_s = 0.0

    def read(self, looks: int = 1) -> list[int]:
        """What is new, over some looks with a second between them."""
        before = len(self.positions)
        for _ in range(looks):
            self.now_s += 1.0
            for file in self.reader.look(self.now_s):
                while block := self.reader.read(file):
                    self.positions += [orjson.loads(line)["position"] for line in block.lines]
        return self.positions[before:]

    def read_all(self) -> list[int]:
        """What is new, until nothing is."""
        before = len(self.positions)
        while self.read():
            pass
        return self.positions[before:]

    @property
    def bookmark(self) -> str:
        return self.reader.bookmark((1,))

    @property
    def held_open(self) -> int:
        """Files of the directory that this process has open."""
        held = [fd.readlink() for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()]
        return sum(path.is_relative_to(self.directory) for path in held)


@pytest.fixture
def lanes(tmp_path):
    """Makes readers of the test's directory, and closes them."""
    with ExitStack() as stack:

        def lane(bookmark=""):
            lane = Lane(tmp_path, bookmark)
            stack.callback(lane.reader.close)
            return lane

        yield lane


def write(directory: Path, *positions: int) -> None:
    for position in positions:
        append(directory / f"{position:05}.jsonl", task_line(position))


def test_files_are_held_open_a_few_at_a_time(tmp_path, lanes):
    """However many files there are, some dozens are open, before they are read and after."""
    lane = lanes()
    write(tmp_path, *range(MANY))
    highest = 0
    while lane.read():
        highest = max(highest, lane.held_open)
    assert lane.positions == list(range(MANY))
    assert highest <= 64
    assert lane.held_open <= 32


def test_finished_files_are_let_be(tmp_path, lanes):
    """Once all is read, looking on opens nothing, and a new file is all that is opened."""
    lane = lanes()
    write(tmp_path, *range(MANY))
    lane.read_all()
    with opened(tmp_path) as paths:
        assert lane.read(looks=20) == []
    assert paths == []
    with opened(tmp_path) as paths:
        write(tmp_path, MANY)
        assert lane.read(looks=2) == [MANY]
    assert set(paths) == {f"{tmp_path}/{MANY:05}.jsonl"}


def test_a_restart_opens_each_file_once_and_repeats_nothing(tmp_path, lanes):
    """The bookmark tells which files are finished, in a few characters each."""
    write(tmp_path, *range(MANY))
    lane = lanes()
    lane.read_all()
    assert len(lane.bookmark) < 9 * MANY + 1000
    again = lanes(lane.bookmark)
    with opened(tmp_path) as paths:
        assert again.read(looks=5) == []
    # Once to know it, and once more those that may grow.
    assert len(paths) <= MANY + 32
    write(tmp_path, MANY)
    assert again.read_all() == [MANY]


def test_a_finished_file_costs_little_memory(tmp_path, lanes):
    """What is remembered of it is some hundred bytes."""
    write(tmp_path, *range(2 * MANY))
    lane = lanes()
    tracemalloc.start()
    lane.read_all()
    remembered_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert remembered_bytes / (2 * MANY) < 1000


@pytest.mark.parametrize("restart", [False, True])
def test_a_finished_file_that_grows_is_taken_up_again(tmp_path, lanes, restart):
    """What is written to an old file comes; after a restart with what stands before it."""
    write(tmp_path, *range(MANY))
    lane = lanes()
    lane.read_all()
    lane = lanes(lane.bookmark) if restart else lane
    append(tmp_path / "00007.jsonl", task_line(MANY))
    assert lane.read(looks=3) == ([7, MANY] if restart else [MANY])
    append(tmp_path / "00007.jsonl", task_line(MANY + 1))
    assert lane.read(looks=3) == [MANY + 1]
    assert lanes(lane.bookmark).read(looks=3) == []


def test_a_finished_file_that_is_begun_anew_is_read(tmp_path, lanes):
    """Cut to nothing and written to again, it is a new file; in a copy it stays finished."""
    write(tmp_path, *range(MANY))
    lane = lanes()
    lane.read_all()
    shutil.copy(tmp_path / "00007.jsonl", tmp_path / "00007.jsonl.1")
    (tmp_path / "00007.jsonl").write_bytes(task_line(MANY))
    assert lane.read(looks=3) == [MANY]
    assert lane.reader.missed == []


def test_a_finished_file_may_move(tmp_path, lanes):
    """Renaming thousands of files, as a rotation that counts up does, repeats none of them."""
    write(tmp_path, *range(MANY))
    lane = lanes()
    lane.read_all()
    for position in reversed(range(MANY)):
        path = tmp_path / f"{position:05}.jsonl"
        path.rename(tmp_path / f"{position + 1:05}.jsonl")
    assert lane.read(looks=3) == []
    assert lanes(lane.bookmark).read(looks=3) == []


def test_what_is_deleted_is_forgotten(tmp_path, lanes):
    """The bookmark shrinks again when old files go, and names them to the source."""
    write(tmp_path, *range(MANY))
    lane = lanes()
    lane.read_all()
    longest = len(lane.bookmark)
    for position in range(MANY - 100):
        (tmp_path / f"{position:05}.jsonl").unlink()
        if position == MANY // 2:
            lane.read()
    lane.read(looks=2)
    (tmp_path / f"{MANY - 100:05}.jsonl").unlink()
    assert lane.read(looks=2) == []
    assert len(lane.bookmark) < longest / 3
    assert len(lane.reader.forgotten) >= MANY - 200


def test_a_file_that_is_deleted_before_it_was_read_is_told(tmp_path, lanes):
    """Its turn had not come, so it was not held open."""
    write(tmp_path, *range(MANY))
    lane = lanes()
    lane.reader.look(0.5)
    (tmp_path / "00300.jsonl").unlink()
    assert len(lane.read_all()) == MANY - 1
    (missed,) = lane.reader.missed
    assert (
        missed
        == f"{len(task_line(300))} bytes of a record file were not read before it was deleted"
    )


def test_the_oldest_files_are_read_though_they_are_deleted(tmp_path, lanes):
    """Those that are next are held open: what keeps the directory small takes the oldest first."""
    write(tmp_path, *range(MANY))
    lane = lanes()
    lane.reader.look(0.5)
    for position in range(32):
        (tmp_path / f"{position:05}.jsonl").unlink()
    assert lane.read_all() == list(range(MANY))
    assert lane.reader.missed == []


def test_files_whose_last_line_has_no_end_hold_up_no_other(tmp_path, lanes):
    """They are given up after some looks, many at a time, while others are read."""
    for position in range(200):
        append(tmp_path / f"{position:05}.jsonl", task_line(position), task_line(1)[:-1])
    lane = lanes()
    first = lane.read(looks=10)
    assert first == list(range(200))
    lane.read(looks=60)
    assert lane.held_open <= 33


class ManyFiles(RuleBasedStateMachine):
    """Over writes, rotations, growth of old files, deletion and restarts, each line comes once.

    Only what stands in an old file that grows may be repeated, when it grew while nobody read.
    """

    def __init__(self):
        super().__init__()
        self._directory = tempfile.TemporaryDirectory()
        self.directory = Path(self._directory.name)
        self.log = self.directory / "r.jsonl"
        self.bookmark = ""
        self.lane = Lane(self.directory)
        self.written = 0
        self.got = []
        self.rotated = []
        self.rotations = 0
        self.has_old_grown = False

    def line(self):
        self.written += 1
        return task_line(self.written)

    def next_name(self):
        self.rotations += 1
        self.rotated.append(self.directory / f"r.jsonl.{self.rotations:05}")
        return self.rotated[-1]

    @rule()
    def write(self):
        append(self.log, self.line(), self.line())

    @rule()
    def rotate_often(self):
        for _ in range(40):
            append(self.log, self.line())
            self.log.rename(self.next_name())

    @precondition(lambda self: self.log.exists())
    @rule()
    def copy_and_cut(self):
        shutil.copy(self.log, self.next_name())
        self.log.write_bytes(b"")

    @precondition(lambda self: self.rotated)
    @rule()
    def grow_an_old_file(self):
        append(self.rotated[len(self.rotated) // 2], self.line())
        self.has_old_grown = True

    @rule()
    def read(self):
        self.got += self.lane.read_all()

    @rule()
    def delete_what_was_read(self):
        self.read()
        half = len(self.rotated) // 2
        for path in self.rotated[:half]:
            path.unlink()
        del self.rotated[:half]

    @rule()
    def restart(self):
        if self.lane.positions:  # with nothing read there is no new bookmark
            self.bookmark = self.lane.bookmark
        self.lane.reader.close()
        self.lane = Lane(self.directory, self.bookmark)

    @invariant()
    def nothing_is_missed(self):
        assert self.lane.reader.missed == []

    def teardown(self):
        self.read()
        self.lane.reader.close()
        self._directory.cleanup()
        everything = list(range(1, self.written + 1))
        assert sorted(set(self.got)) == everything
        assert self.has_old_grown or self.got == everything


def test_every_line_comes_whatever_is_done_to_many_files():
    """Over any course of writes, rotations, deletion and restarts nothing is missed."""
    course = settings(deadline=None, max_examples=40, stateful_step_count=12)
    run_state_machine_as_test(ManyFiles, settings=course)
