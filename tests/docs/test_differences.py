"""The page of differences names tests that exist, and every case that is not met as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from tests.kit.upstream_cases import DIFFERENCES, NOT_OURS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "differences-from-upstream.md").read_text(encoding="utf-8")
ROWS = [
    line
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| upstream |")
]


def test_every_difference_names_a_test_that_exists():
    """Each line is proved by a test that can be run by that name."""
    tests = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        tests.update(re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE))
    assert len(ROWS) > 40
    for row in ROWS:
        named = re.findall(r"`(test_\w+)`", row.split("|")[3])
        assert named, row
        assert set(named) <= tests, row


def test_every_case_that_is_different_is_on_the_page():
    """No case is passed over in silence: neither those that differ nor those that are not ours."""
    told = {int(number) for number in re.findall(r"\bcases? (\d+)", PAGE)}
    for few in re.findall(r"\bcases ((?:\d+(?:, | to )?)+)", PAGE):
        numbers = [int(number) for number in re.findall(r"\d+", few)]
        told.update(range(numbers[0], numbers[-1] + 1) if " to " in few else numbers)
    assert {*DIFFERENCES, *NOT_OURS} <= told
