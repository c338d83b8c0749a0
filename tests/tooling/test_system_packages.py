"""tests/system-packages: what it does when a Debian package is missing."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.kit.modeler import ROOT

SCRIPT = ROOT / "tests" / "system-packages"
PACKAGES = " ".join(re.findall(r"^    ([a-z0-9][a-z0-9.+-]+) +#", SCRIPT.read_text(), re.MULTILINE))
ADVICE = (
    "Tests need Debian packages that are not installed; "
    f"type: sudo apt-get install --yes --no-install-recommends {PACKAGES}\n"
)


@pytest.fixture
def machine(tmp_path):
    """Give a function that runs the script on a machine told by its programs' answers."""

    def run(*arguments, user_id=0, state="not-installed"):
        calls = tmp_path / "calls"
        calls.touch()
        for name, body in {
            "id": f"echo {user_id}",
            "dpkg-query": f"printf %s {state}",
            "apt-get": f'echo "$DEBIAN_FRONTEND $*" >> {calls}',
        }.items():
            program = tmp_path / name
            program.write_text(f"#!/bin/sh\n{body}\n")
            program.chmod(0o755)
        done = subprocess.run(
            ["/bin/bash", SCRIPT, *arguments],
            env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.stderr
        return done.returncode, done.stdout, calls.read_text().splitlines()

    return run


def test_the_browser_is_on_the_list():
    """What the drawing tests need is there, each package with its reason."""
    assert "chromium fonts-liberation" in PACKAGES


def test_nothing_is_said_when_all_are_there(machine):
    """Set-up stays quiet and asks no package server when nothing is missing."""
    assert machine(state="installed") == (0, "", [])


def test_root_gets_them_installed(machine):
    """Root needs to do nothing: one update, one installation, and no question asked."""
    code, said, calls = machine()
    assert code == 0
    assert said == f"Installing for the tests: {PACKAGES}\n"
    assert calls == [
        "noninteractive update -qq",
        f"noninteractive install --yes --no-install-recommends {PACKAGES} -qq",
    ]


def test_others_are_told_the_one_command(machine):
    """Without the rights to install, set-up names the command and goes on."""
    assert machine(user_id=1000) == (0, ADVICE, [])


def test_check_fails_with_the_same_sentence(machine):
    """A test that misses a program fails with what set-up has said."""
    assert machine("--check") == (1, ADVICE, [])
