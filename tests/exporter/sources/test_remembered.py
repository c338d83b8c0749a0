"""Progress that a peer keeps is read as it was written, and foreign text is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.progress import Bounds, Progress
from exporter.sources.remembered import from_text, to_text

POSITIONS = st.integers(-1, 2**63 - 1)
BOUNDS = st.builds(Bounds, POSITIONS, POSITIONS, st.integers(1, 500), st.text(max_size=40))
PROGRESS = st.builds(Progress, POSITIONS, st.text(max_size=60), st.none() | BOUNDS, POSITIONS)


@given(PROGRESS)
def test_progress_is_read_as_it_was_written(progress):
    """Positions keep all 63 bits, and the announced batch is the same."""
    assert from_text(to_text(progress)) == progress


@pytest.mark.parametrize("text", ["", "{}", "[2,1,1,null]", "null", "\x00", "[1]", b"\xff"])
def test_what_somebody_else_wrote_is_nothing(text):
    """A foreign or later form is not guessed at."""
    assert from_text(text) is None
