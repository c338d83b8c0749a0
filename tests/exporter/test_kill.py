from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def killed(source: str, runs: int) -> dict[str, int]:
    """The row of the table that `python -m bench.kill` prints."""
    command = [sys.executable, "-m", "bench.kill", "--source", source, "--runs", str(runs)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    head, row = (line.split() for line in shown.stdout.splitlines())
    return dict(zip(head[1:], map(int, row[1:]), strict=True))


@pytest.mark.parametrize(
    ("source", "runs"), [("file", 20), ("http", 2), ("elasticsearch", 2), ("listener", 2)]
)
def test_killed_at_random_moments_it_loses_nothing(source, runs):
    """After kills at random moments every event is there, in order, repeats with the same key."""
    row = killed(source, runs)
    assert row["kills"] == runs
    assert row["events"] > 0
    assert (row["lost"], row["order"], row["changed"]) == (0, 0, 0)
    assert row["repeats"] <= 2 * runs
