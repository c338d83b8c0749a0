"""The demo as a user runs it: a command, its output, its exit code."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.kit.modeler import ROOT
from tests.kit.waiting import PATIENCE_S

STORY_S = 3 * PATIENCE_S
"""The patience with a whole demo, of four programs."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * STORY_S)]


@pytest.fixture
def demo():
    """Give a function that starts the demo; whatever it left running is ended and reported."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "bpmn.demo", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Where lines are broken must not hang on the terminal that the tests run in.
            env={**os.environ, "COLUMNS": "110"},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        left = [psutil.Process(process.pid)] if process.poll() is None else []
        left += [child for each in left for child in each.children(recursive=True)]
        for each in left:
            each.kill()
        process.communicate()
        assert not left


def read_until(process, pattern):
    """The output up to the line that has `pattern`; fails when the demo ends before."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if re.search(pattern, line):
            return "".join(lines)
    return pytest.fail(f"the demo ended without {pattern!r}:\n{''.join(lines)}")


def service(process, module):
    """The demo's service that runs `module`."""
    children = psutil.Process(process.pid).children()
    return next(each for each in children if each.cmdline()[1:3] == ["-m", module])


def test_all_processes_run_to_their_ends(demo):
    """Exit code 0; each task's request and answer and each end is to be seen.

    A minute is promised. It takes about ten seconds, of which the first service's start is one:
    by that measure of this run's machine it is held to half a minute.
    """
    begun_s = time.monotonic()
    process = demo()
    output = read_until(process, "devstack is up")
    start_s = time.monotonic() - begun_s
    output += process.communicate(timeout=STORY_S)[0]
    assert process.returncode == 0, output
    assert time.monotonic() - begun_s < 30 * start_s
    for seen in (
        "Find stuck instances        asked     POST /v1/process-instances/search",
        '"filter": {"bpmnProcessId": "order", "state": "ACTIVE",',
        "answered  200, 3 of 3 items",
        'Look into stuck instances   completed with {"remark": "Asked the customers',
        "COMPLETED at “Stuck instances looked into”",
        "GET /v1/variables/",
        '  variable receipt          is        "\\"Receipt for order A-1001: 42 EUR\\""',
        "COMPLETED at “Receipt read”",
        '"searchAfter": [',
        '  variable incidentsByType  is        [{"type": "JOB_NO_RETRIES", "incidents": 3}]',
        "GET /v1/process-instances/",
        "COMPLETED at “Order traced”",
        "Delete each                 asked     DELETE /v1/process-instances/",
        "COMPLETED at “Cleaned up”",
        " events at the App Integrations backend ",
        "created   user task ",
        "completed user task ",
        "5 processes ran to their ends, 2 events were delivered, services stopped",
    ):
        assert seen in output
    assert "secret" not in output


def test_a_service_that_dies_ends_the_demo_by_name(demo):
    """Exit code 1, the service named and its last log lines shown, nothing left running."""
    process = demo("--stay")
    read_until(process, "stay up")
    devstack = service(process, "devstack")
    service(process, "connector").kill()
    output, _ = process.communicate(timeout=STORY_S)
    assert process.returncode == 1
    assert "operate-connector: " in output
    assert "Failed: operate-connector ended with exit code -9" in output
    assert not devstack.is_running()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_up_until_it_is_told_to_stop(demo, number):
    """With --stay it tells how to use what runs, and a signal is its good end."""
    process = demo("--stay")
    read_until(process, "Ctrl-C stops everything")
    left = psutil.Process(process.pid).children()
    assert len(left) == 3
    process.send_signal(number)
    output, _ = process.communicate(timeout=STORY_S)
    assert process.returncode == 0, output
    assert not any(each.is_running() for each in left)


def test_stopped_before_the_end_is_no_success(demo):
    """A signal in the middle stops the services too, and exit code 1 says that it was not all."""
    process = demo()
    read_until(process, "devstack is up")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=STORY_S)
    assert process.returncode == 1
    assert "Stopped before the end." in output
