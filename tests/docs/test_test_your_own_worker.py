"""The how-to for tests of a worker, done as it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "test-your-own-worker.md"
_FILE = re.compile(r"`(\w+\.py)`[^`]*?:\n\n```python\n(.*?)```", re.DOTALL)
_LAST_FILE = re.compile(r"`(test_\w+\.py)` \|\n\n```python\n(.*?)```", re.DOTALL)


@pytest.mark.slow
def test_the_how_to_works_as_it_stands(tmp_path):
    """Every file that the page shows, put where it says and run with pytest, passes."""
    text = PAGE.read_text(encoding="utf-8")
    files = dict(_FILE.findall(text) + _LAST_FILE.findall(text))
    assert len(files) == text.count("```python")
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    shutil.copy(ROOT / "bpmn" / "examples" / "order.bpmn", tmp_path)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-W",
            "error",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:asyncio",
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("4 passed")
