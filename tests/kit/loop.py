"""An event loop that says when nothing is under way, so that no clock of a test overtakes it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

from typing_extensions import override

T = TypeVar("T")

_ARRIVAL_S = 0.001
"""What was written to a loopback socket is readable at its other end well within this time."""


class QuietLoop(asyncio.SelectorEventLoop):
    """The usual loop, with `quiet()` and `leap()`.

    It is quiet when no callback is ready, no socket has anything to read and no thread that it
    started is at work: what is left waits for time to pass, or for another process.
    """

    def __init__(self) -> None:
        self._selector_of_ours = _Selector(self._is_idle, self._tell)
        self._waiting: list[asyncio.Future[None]] = []
        self._now_s: float | None = None
        self._in_threads = 0
        super().__init__(self._selector_of_ours)

    async def quiet(self) -> None:
        """Return once nothing is under way."""
        waiting = self.create_future()
        self._waiting.append(waiting)
        self._selector_of_ours.asked = True
        await waiting

    def leap(self, at_most_s: float) -> None:
        """From now on time passes only while all is quiet: it leaps to the next timer then.

        One that is further away than `at_most_s` is waited for as long as that takes.
        """
        self._now_s = super().time()
        self._selector_of_ours.leap = self._leap
        self._selector_of_ours.leap_at_most_s = at_most_s

    def _leap(self, seconds: float) -> None:
        assert self._now_s is not None
        self._now_s += seconds

    @override
    def time(self) -> float:
        return super().time() if self._now_s is None else self._now_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        self._in_threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._came_back)
        return future

    def _came_back(self, _: asyncio.Future[Any]) -> None:
        self._in_threads -= 1

    def _is_idle(self) -> bool:
        return self._in_threads == 0

    def _tell(self) -> None:
        self._selector_of_ours.asked = False
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class _Selector(selectors.DefaultSelector):
    """Looks once more for a moment before the loop would wait, and tells when that gave nothing."""

    def __init__(self, is_idle: Callable[[], bool], tell: Callable[[], None]) -> None:
        super().__init__()
        self.asked = False
        self.leap: Callable[[float], None] | None = None
        self.leap_at_most_s = 0.0
        self._is_idle = is_idle
        self._tell = tell

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # A time-out of zero means that callbacks are ready: the loop does not wait.
        if not (self.asked or self.leap) or not self._is_idle() or timeout == 0:
            return super().select(timeout)
        events = super().select(_ARRIVAL_S)
        if events:
            return events
        if self.leap and timeout is not None and timeout <= self.leap_at_most_s:
            self.leap(timeout)
        elif self.asked:
            self._tell()
        else:
            return super().select(timeout)
        return []


async def quiet() -> None:
    """Wait until nothing is under way in the running loop, which is a `QuietLoop`."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, QuietLoop)
    await loop.quiet()


def leap(at_most_s: float = 5.0) -> None:
    """Let the time of the running loop, which is a `QuietLoop`, pass only while all is quiet.

    For code that reckons with the loop's own time, as aiohttp's time-outs do: a test need not wait
    for them, and a busy machine brings none about. With a clock of the test's beside it, the loop's
    next timer comes first if it is at most `at_most_s` away. Time in threads and other processes,
    gRPC among them, is not part of it.
    """
    loop = asyncio.get_running_loop()
    assert isinstance(loop, QuietLoop)
    loop.leap(at_most_s)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on a loop of its own, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=QuietLoop) as runner:
        return runner.run(main)
