import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def run(code):
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    return done.stdout.strip()


def test_a_worker_loads_nothing_of_pyzeebe_but_its_stubs():
    """The blocking HTTP library that pyzeebe needs for itself stays out of the process."""
    assert run("import sys, worker.loop; print('requests' in sys.modules)") == "False"


def test_pyzeebe_itself_can_still_be_imported_afterwards():
    """A program that uses a worker of ours and pyzeebe's client gets both whole."""
    code = "import worker.loop, pyzeebe; print(pyzeebe.ZeebeClient.__name__)"
    assert run(code) == "ZeebeClient"
