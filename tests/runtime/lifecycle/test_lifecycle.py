import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from runtime.errors import Fault, HttpRefusedError, SettingsError
from runtime.lifecycle import ExitCode, report, run
from tests.kit.waiting import PATIENCE_S

ROOT = Path(__file__).parents[3]


def kill_self(number=signal.SIGTERM):
    os.kill(os.getpid(), number)


def test_service_that_returns_is_fine():
    """A main that returns by itself ends with 0."""

    async def main(_life):
        await asyncio.sleep(0)

    assert run(main) == ExitCode.FINE == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_asks_to_stop(number):
    """SIGTERM and SIGINT set `stopping`; a service that then drains ends with 0."""
    drained = []

    async def main(life):
        kill_self(number)
        await life.stopping.wait()
        await asyncio.sleep(0.01)
        drained.append(True)

    assert run(main) == 0
    assert drained == [True]


def test_tasks_run_until_main_returns():
    """Tasks that `start` started are cancelled, and waited for, when main has returned."""
    ended = []

    async def forever():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.append("forever")

    async def brief():
        ended.append("brief")

    async def main(life):
        assert life.start("forever", forever()).get_name() == "forever"
        life.start("brief", brief())
        await asyncio.sleep(0.01)

    assert run(main) == 0
    assert ended == ["brief", "forever"]


def test_failing_task_ends_the_service():
    """A task that raises cancels main, and the exit code is 1."""
    cancelled = []

    async def fail():
        raise HttpRefusedError("no way")

    async def main(life):
        life.start("fail", fail())
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    assert run(main) == ExitCode.FAILURE == 1
    assert cancelled == [True]


def test_failing_main_is_a_failure():
    """An error of main itself gives 1, whatever it is."""

    async def main(_life):
        raise RuntimeError("a bug")

    assert run(main) == 1


def test_wrong_settings_are_a_usage_error(capsys):
    """Faults of settings give 2 and are printed a line each."""
    faults = [Fault("A", "is wrong", "change it"), Fault("B", "is not set", "set it")]

    async def main(_life):
        raise SettingsError(faults)

    assert run(main) == ExitCode.USAGE == 2
    assert capsys.readouterr().err == "A: is wrong; change it\nB: is not set; set it\n"
    assert report(SettingsError(faults)) == 2


def test_drain_that_takes_too_long_is_cut_off(clock):
    """After the drain deadline and the time to hand back, the service is cancelled: exit 1."""
    at_s = []

    async def main(life):
        life.stop("test")
        mover = asyncio.ensure_future(clock.advance(100))
        try:
            await asyncio.Event().wait()
        finally:
            at_s.append(clock.monotonic_s())
            await mover

    assert run(main, drain_deadline_s=10, clock=clock) == 1
    assert at_s == [13]


def test_drain_within_the_deadline_is_not_cut_off(clock):
    """The deadline does not fire on a service that has returned."""

    async def main(life):
        life.stop("test")
        await clock.advance(12.9)

    assert run(main, drain_deadline_s=10, clock=clock) == 0


def test_second_signal_ends_at_once():
    """A second signal cancels a service that still drains: exit 1."""
    cancelled = []

    async def main(life):
        kill_self()
        await life.stopping.wait()
        kill_self(signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    assert run(main) == 1
    assert cancelled == [True]


def test_stop_is_told_once():
    """Stopping again changes nothing."""

    async def main(life):
        for reason in ("first", "second"):
            life.stop(reason)
        assert life.stopping.is_set()

    assert run(main) == 0


def test_signals_are_given_back():
    """After a run the process hears signals as before."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]

    async def main(_life):
        pass

    run(main)

    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def start(body):
    program = textwrap.dedent(
        """
        import asyncio, sys, structlog
        from runtime.lifecycle import run
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        {body}
        print("up", flush=True)
        sys.exit(run(main, drain_deadline_s=3600))
        """
    ).format(body=textwrap.dedent(body))
    return subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


DRAINING = """
async def main(life):
    print("ready", flush=True)
    await life.stopping.wait()
    print("draining", flush=True)
    await asyncio.sleep({drain_s})
    print("drained", flush=True)
"""

STUBBORN = """
async def main(life):
    print("ready", flush=True)
    await life.stopping.wait()
    print("told", flush=True)
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            print("no", flush=True)
"""


def wait_for_line(process, line):
    while (said := process.stdout.readline()) != line:
        assert said, process.stderr.read()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process_drains_and_exits_with_0(number):
    """A real process that is told to stop finishes its work and exits with 0."""
    with start(DRAINING.format(drain_s=0.2)) as process:
        wait_for_line(process, b"ready\n")
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0, err
    assert out == b"draining\ndrained\n"


@pytest.mark.slow
def test_process_ends_at_once_on_the_second_signal():
    """A real process in a drain of an hour exits with 1 as soon as it is told again."""
    with start(DRAINING.format(drain_s=3600)) as process:
        wait_for_line(process, b"ready\n")
        process.send_signal(signal.SIGTERM)
        wait_for_line(process, b"draining\n")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 1


@pytest.mark.slow
def test_process_that_ignores_cancellation_is_ended_too():
    """A service that goes on though it is cancelled does not outlive the second signal."""
    with start(STUBBORN) as process:
        wait_for_line(process, b"ready\n")
        process.send_signal(signal.SIGTERM)
        wait_for_line(process, b"told\n")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 1
    assert out == b"no\n"
