"""The wheel, installed elsewhere: an editable install hides what it lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with nothing but the wheel's contents."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    wheel = next(folder.glob("*.whl"))
    site = folder / "site"
    install = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site))
    run(sys.executable, *install, str(wheel), cwd=folder)
    return site


def run(*command, cwd, **environ):
    """What a program prints; its failure is the test's."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("package", ["connector", "devstack"])
def test_each_program_starts_from_the_wheel(installed, package):
    """Every console script's module shows its help without the source tree."""
    shown = run(
        sys.executable, "-P", "-m", package, "--help", cwd=installed, PYTHONPATH=str(installed)
    )
    assert "usage:" in shown


def test_the_wheel_holds_what_is_not_python(installed):
    """Static files and typing marks are in the wheel as they are in the tree."""
    wanted = {
        path.relative_to(ROOT)
        for package in ("connector", "exporter", "worker", "feel", "runtime", "devstack")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }
    assert wanted
    assert [path for path in sorted(wanted) if not (installed / path).exists()] == []
