from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from exporter.sources.log_files.listing import Listing, matching
from tests.kit.opened import opened
from tests.kit.records import append, task_line

NOBODY = 65534


def names(pattern) -> set[str]:
    return {path for path, _ in matching(str(pattern))}


def write(directory, *positions):
    for position in positions:
        append(directory / f"{position}.jsonl", task_line(position))


def test_patterns_match_as_in_a_shell(tmp_path):
    """Wildcards stand for parts of names, two stars for any depth, and never for a hidden file."""
    for name in ("a.jsonl", "b.jsonl", ".c.jsonl", "d.txt", "sub/e.jsonl", "sub/deep/f.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    patterns = ("*.jsonl", "a.jsonl", "none.jsonl", "no/*.jsonl", "*/e.jsonl", "**/*.jsonl")
    found = {
        pattern: {path.removeprefix(f"{tmp_path}/") for path in names(tmp_path / pattern)}
        for pattern in patterns
    }
    assert found == {
        "*.jsonl": {"a.jsonl", "b.jsonl"},
        "a.jsonl": {"a.jsonl"},
        "none.jsonl": set(),
        "no/*.jsonl": set(),
        "*/e.jsonl": {"sub/e.jsonl"},
        "**/*.jsonl": {"a.jsonl", "b.jsonl", "sub/e.jsonl", "sub/deep/f.jsonl"},
    }
    assert str(tmp_path / "sub/deep/f.jsonl") in names(tmp_path / "**")


def test_a_pattern_may_be_relative(tmp_path, monkeypatch):
    """Without a directory it is the working directory that is looked into."""
    write(tmp_path, 1)
    monkeypatch.chdir(tmp_path)
    assert names("1.jsonl") == names("*.jsonl") == {"./1.jsonl"}


@pytest.fixture
def with_a_closed_directory():
    """Two directories; root, who may read everything, is nobody while the test runs."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        (Path(directory) / "closed").mkdir(mode=0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(NOBODY)
        yield Path(directory)
        os.seteuid(user)


def test_a_directory_that_may_not_be_read_is_told_unless_it_is_one_of_many(with_a_closed_directory):
    """Of directories found by a wildcard the closed ones are passed over, a single one is not."""
    closed = with_a_closed_directory / "closed"
    with pytest.raises(PermissionError):
        names(closed / "*.jsonl")
    assert names(with_a_closed_directory / "*" / "*.jsonl") == set()


def test_news_are_what_has_changed(tmp_path):
    """A file is told when it is new and when it has grown, and not again."""
    write(tmp_path, 1, 2, 3)
    listing = Listing(f"{tmp_path}/*.jsonl")
    first = listing.news(0, 0.0)
    assert len(first.changed) == 3
    assert listing.news(first.number, 5.0).changed == ()
    write(tmp_path, 2)
    (grown,) = listing.news(first.number, 10.0).changed
    assert grown.size_bytes == 2 * len(task_line(2))


def test_a_directory_is_read_once_a_second(tmp_path):
    """Who asks sooner gets what is known, unless something did not hold."""
    write(tmp_path, 1)
    listing = Listing(f"{tmp_path}/*.jsonl")
    number = listing.news(0, 0.0).number
    write(tmp_path, 2)
    assert listing.news(number, 0.9).changed == ()
    assert len(listing.news(number, 0.9, suspects=[f"{tmp_path}/1.jsonl"]).changed) == 1
    write(tmp_path, 3)
    assert len(listing.news(number, 2.0).changed) == 2


def test_what_is_gone_is_told(tmp_path):
    """Files that were deleted, moved away or begun anew are no longer among those present."""
    write(tmp_path, 1, 2, 3, 4)
    listing = Listing(f"{tmp_path}/*.jsonl")
    first = listing.news(0, 0.0)
    assert first.present is None
    identities = {found.path[-7:]: found.identity for found in first.changed}
    (tmp_path / "1.jsonl").unlink()
    (tmp_path / "2.jsonl").rename(tmp_path / "gone")
    (tmp_path / "3.jsonl").write_bytes(task_line(9))
    present = listing.news(first.number, 5.0).present
    assert present is not None
    assert {name for name in identities if identities[name] in present} == {"4.jsonl"}
    assert len(present) == 2


def test_of_copies_the_longest_counts(tmp_path):
    """While a file is copied, what it is known by stays where all of it is."""
    append(tmp_path / "r.jsonl", task_line(1), task_line(2))
    append(tmp_path / "r.jsonl.1", task_line(1))
    listing = Listing(f"{tmp_path}/r.jsonl*")
    (found,) = listing.news(0, 0.0).changed
    assert found.path == f"{tmp_path}/r.jsonl"
    shutil.copy(tmp_path / "r.jsonl", tmp_path / "r.jsonl.1")
    (tmp_path / "r.jsonl").write_bytes(task_line(3))
    listing.news(0, 5.0)
    copy = listing.find(found.identity)
    assert copy is not None
    assert copy.path == f"{tmp_path}/r.jsonl.1"


def test_a_file_without_a_whole_line_is_not_there_yet(tmp_path):
    """It is told once its first line has an end."""
    append(tmp_path / "r.jsonl", task_line(1)[:50])
    listing = Listing(f"{tmp_path}/*.jsonl")
    assert listing.news(0, 0.0).changed == ()
    append(tmp_path / "r.jsonl", task_line(1)[50:])
    assert len(listing.news(0, 5.0).changed) == 1


def test_a_directory_that_matches_is_no_file(tmp_path):
    """It is passed over, look after look."""
    (tmp_path / "d.jsonl").mkdir()
    write(tmp_path, 1)
    listing = Listing(f"{tmp_path}/*.jsonl")
    assert len(listing.news(0, 0.0).changed) == 1
    assert len(listing) == 1


def test_files_that_do_not_change_are_opened_once(tmp_path):
    """Thousands of files cost one opening each, however often one looks; growth one more."""
    write(tmp_path, *range(2000))
    listing = Listing(f"{tmp_path}/*.jsonl")
    with opened(tmp_path) as at_first:
        number = listing.news(0, 0.0).number
    with opened(tmp_path) as later:
        for second in range(1, 10):
            assert listing.news(number, float(second)).changed == ()
    write(tmp_path, 7)
    with opened(tmp_path) as after_growth:
        # Each file has its turn within as many looks as there are thousands.
        seconds = range(10, 13)
        told = [listing.news(number, float(second)).changed for second in seconds][-1]
    assert (len(at_first), later, len(after_growth)) == (2000, [], 1)
    assert [found.path for found in told] == [f"{tmp_path}/7.jsonl"]


def test_a_file_that_takes_the_place_of_another_is_noticed(tmp_path):
    """Deleted and made anew under its name, in all likelihood with its inode, it is another."""
    write(tmp_path, *range(100))
    listing = Listing(f"{tmp_path}/*.jsonl")
    first = listing.news(0, 0.0)
    (tmp_path / "50.jsonl").unlink()
    append(tmp_path / "50.jsonl", task_line(200), task_line(201))
    news = listing.news(first.number, 5.0)
    assert [found.path for found in news.changed] == [f"{tmp_path}/50.jsonl"]
    assert news.present is not None
    assert len(news.present) == 100
