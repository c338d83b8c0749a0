from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.kit.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "bpmn" / "element-templates" / "operate-connector.json"
EXAMPLES = tuple(sorted((ROOT / "bpmn" / "examples").glob("*.bpmn")))
_SCRIPTS = ROOT / "tests" / "bpmn"


def run_node(script: str, *arguments: object, timeout_s: float = PATIENCE_S) -> Any:
    """Run a script of tests/bpmn in Node; gives the JSON that it prints."""
    if not (ROOT / "node_modules").is_dir():
        pytest.fail("Camunda's tools are not installed; type: npm ci")
    done = subprocess.run(
        ["node", _SCRIPTS / script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        cwd=ROOT,
    )
    if done.returncode:
        pytest.fail(f"{script} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def chromium() -> Path:
    """Where the browser is; a test that finds none fails with the command that installs it."""
    found = shutil.which("chromium")
    if found is None:
        check = subprocess.run(
            [ROOT / "tests" / "system-packages", "--check"],
            capture_output=True,
            text=True,
            check=False,
        )
        pytest.fail(check.stdout.strip() or "chromium is not on the PATH")
    return Path(found)
