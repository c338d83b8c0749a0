from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exporter.sources.log_files.bookmark import Bookmark, read_bookmark, sign

names = st.text("0123456789abcdef", min_size=16, max_size=16)
sizes = st.integers(0, 2**60)


@given(st.dictionaries(names, sizes), st.dictionaries(names, sizes), st.sets(st.integers(0, 8191)))
def test_a_bookmark_says_what_it_was_told(offsets, finished, partitions):
    """Offsets, finished files and partitions come back as they were written."""
    signs = [sign(*each) for each in finished.items()]
    told = Bookmark(offsets, "".join(signs), tuple(partitions))
    again = read_bookmark(told.text)
    assert again == told
    assert again.signs == set(signs)


def test_no_bookmark_is_the_beginning():
    """Without one nothing was read."""
    assert read_bookmark("") == Bookmark()


def test_a_sign_is_of_one_file_at_one_size():
    """A file that grows has another; so does another file of its size."""
    assert len({sign("a" * 16, 1), sign("a" * 16, 2), sign("b" * 16, 1)}) == 3
