"""Two ways to run the worker under test: in a thread of its own, or as a program of its own."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Coroutine, Mapping, Sequence
from threading import Thread
from typing import Any

from devstack.testing.errors import WorkerFailedError

_STOP_TIMEOUT_S = 10.0
Work = Callable[[], Coroutine[Any, Any, object]]


class WorkerThread:
    """An asynchronous worker in a thread with an event loop of its own, until it is stopped.

    The test stays free to use blocking calls, and a worker that blocks holds up only itself.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[object] | None = None
        self._thread = Thread(target=self._run, name="worker under test", daemon=True)
        self._is_stopping = False
        self.failure: WorkerFailedError | None = None

    def start(self) -> None:
        """Begin; gives no sign when the worker is ready, as jobs wait for it."""
        self._thread.start()

    def check(self) -> None:
        """Raise `WorkerFailedError` when the worker has ended by itself."""
        if self.failure is not None:
            raise self.failure

    def stop(self) -> None:
        """Cancel the worker and wait for its end."""
        self._is_stopping = True
        self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join(_STOP_TIMEOUT_S)
        if self._thread.is_alive():
            self.failure = WorkerFailedError("the worker does not end when it is cancelled")
        else:
            self._loop.close()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())

    async def _main(self) -> None:
        self._task = asyncio.current_task()
        cause: BaseException | None = None
        try:
            await self._work()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - told to the test
            cause = error
        if not self._is_stopping:
            what = "raised an error" if cause is not None else "returned"
            self.failure = WorkerFailedError(f"the worker {what} before the test was over")
            self.failure.__cause__ = cause


class Program:
    """A worker that is a program of its own, until it is stopped with SIGTERM."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = command
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin; its output goes where the test's goes."""
        self._process = subprocess.Popen(self._command, env=dict(self._environment))  # noqa: S603 - the test's own command

    def check(self) -> None:
        """Raise `WorkerFailedError` when the program has ended by itself."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            raise WorkerFailedError(f"{self._command[0]} ended with exit code {code}")

    def stop(self) -> None:
        """Ask the program to end; one that does not within ten seconds is killed."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
