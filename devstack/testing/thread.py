from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TypeVar

from devstack.stack import Stack

_T = TypeVar("_T")


class StackThread:
    """Runs a stack in a thread with an event loop of its own."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()
        self._is_settled = Event()
        self._failure: Exception | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Listen until the block ends; once for each thread.

        Raises:
            OSError: when a port is taken.
            Exception: what ended the stack early, when something did.
        """
        thread = Thread(target=self._serve, name="devstack", daemon=True)
        thread.start()
        self._is_settled.wait()
        try:
            if self._failure is None:
                yield
        finally:
            if self._loop is not None and thread.is_alive():
                self._loop.call_soon_threadsafe(self._stopped.set)
            thread.join()
            self._loop = None
        if self._failure is not None:
            raise self._failure

    def call(self, function: Callable[[Stack], _T]) -> _T:
        """Call a function in the stack's thread and give what it gives, or raise what it raises."""
        if self._loop is None:
            raise RuntimeError("the cluster is not running")

        async def called() -> _T:
            return function(self._stack)

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result()

    def _serve(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception as error:  # noqa: BLE001 - raised again where the test waits
            self._failure = error
        finally:
            self._is_settled.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self._stack.listening():
            self._is_settled.set()
            await self._stack.serve_until(self._stopped)
