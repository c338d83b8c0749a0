"""How a service starts, works, stops and what exit code it ends with.

run(main) ── main(life) works ──┬── returns ────────────────────────────── exit 0
├── raises, or a task it started does ──── exit 1 (settings: 2)
└── SIGTERM, SIGINT or life.stop()
→ life.stopping is set, main drains and returns ── exit 0
→ the deadline passes: cancelled ───────────────── exit 1
→ a second signal: cancelled at once ───────────── exit 1
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from enum import IntEnum

import structlog

from runtime.clock import Clock, SystemClock
from runtime.collector import collecting_seldom
from runtime.errors import ServiceError, SettingsError

_new_event_loop: Callable[[], asyncio.AbstractEventLoop]
try:
    import uvloop
except ImportError:  # not made for every platform
    _new_event_loop = asyncio.new_event_loop
else:
    _new_event_loop = uvloop.new_event_loop

HAND_BACK_S = 3.0
"""Time after the drain deadline for what the service does when it has passed, such as handing back
its jobs. With the default deadline of 25 s it ends before Kubernetes kills it after 30 s."""

_LAST_RESORT_S = 1.5

_log = structlog.get_logger(__name__)


class ExitCode(IntEnum):
    """What a program of ours ends with."""

    FINE = 0
    FAILURE = 1
    USAGE = 2


class Lifecycle:
    """What `run` gives a service: tasks to start, and the word to stop.

    Attributes:
        stopping: Set once by the first signal or by `stop`, never cleared.
    """

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self.stopping = asyncio.Event()
        self._group = group
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, name: str, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Start a task that lives as long as the service.

        It may return early. If it raises, everything is cancelled and the service fails. What is
        still running when the service's main returns is cancelled.
        """
        task = self._group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def stop(self, reason: str) -> None:
        """Ask the service to drain and return; asking again changes nothing."""
        if not self.stopping.is_set():
            _log.info("stopping", reason=reason)
            self.stopping.set()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # What went wrong is told when the service has ended; here, whose work it was.
            _log.error("task failed", task=task.get_name())


Main = Callable[[Lifecycle], Awaitable[None]]
"""A service: opens what it needs with `async with`, starts its tasks, works until
`life.stopping` is set, drains within its deadline, and returns."""


def run(main: Main, *, drain_deadline_s: float = 25.0, clock: Clock | None = None) -> int:
    """Run a service to its end in an event loop of its own; for the main thread, once a process.

    Args:
        main: The service.
        drain_deadline_s: How long the service may take to finish what it has in hand after the
            stop. It keeps that deadline itself; `HAND_BACK_S` later it is cancelled.
        clock: Time for the deadline.

    Returns:
        The exit code.
    """
    supervisor = _Supervisor(drain_deadline_s + HAND_BACK_S, clock or SystemClock())
    with collecting_seldom(), asyncio.Runner(loop_factory=_new_event_loop) as runner:
        return runner.run(supervisor.run(main))


def report(error: BaseException) -> ExitCode:
    """Tell on stderr why a program cannot go on, and give the exit code for it."""
    if isinstance(error, SettingsError):
        for fault in error.faults:
            print(fault, file=sys.stderr)  # noqa: T201 - for people, and before there is a log
        return ExitCode.USAGE
    if isinstance(error, ServiceError):
        _log.error("failed", error=str(error), kind=type(error).__name__)
    else:
        _log.error("failed", kind=type(error).__name__, exc_info=error)
    return ExitCode.FAILURE


class _Supervisor:
    """Runs one service, tells it to stop, and ends it when it does not."""

    def __init__(self, limit_s: float, clock: Clock) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._ended = False

    async def run(self, main: Main) -> ExitCode:
        group = asyncio.TaskGroup()
        life = Lifecycle(group)
        try:
            # Signals are heard until the last task is done, so they are around the group.
            with _signals(lambda number: self._heard(life, number)):
                async with group:
                    self._work = group.create_task(_as_coroutine(main(life)), name="main")
                    life.start("cutoff", self._cut_off(life))
                    await asyncio.wait({self._work})
                    for task in life._tasks:  # noqa: SLF001 - the two are one module's inside
                        task.cancel()
        except BaseExceptionGroup as errors:
            return max(report(error) for error in _leaves(errors))
        return ExitCode.FAILURE if self._ended else ExitCode.FINE

    def _heard(self, life: Lifecycle, number: signal.Signals) -> None:
        if life.stopping.is_set():
            self._end(number.name)
        else:
            life.stop(number.name)

    async def _cut_off(self, life: Lifecycle) -> None:
        await life.stopping.wait()
        await self._clock.sleep(self._limit_s)
        self._end("not drained in time")

    def _end(self, reason: str) -> None:
        _log.warning("ending at once", reason=reason)
        self._ended = True
        self._work.cancel()
        # For a service that goes on though it is cancelled.
        asyncio.get_running_loop().call_later(_LAST_RESORT_S, os._exit, ExitCode.FAILURE)


async def _as_coroutine(work: Awaitable[None]) -> None:
    await work


@contextmanager
def _signals(heard: Callable[[signal.Signals], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, heard, number)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
