from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Self

from connector.errors import CallTimeout
from runtime.clock import Clock
from runtime.errors import HttpTimeoutError
from runtime.http import Answer

_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True)
class _Flight:
    """A request under way or lately answered, and when it began."""

    task: asyncio.Task[Answer]
    began_s: float


class SharedReads:
    """Lets jobs that ask for the same thing at nearly the same time share one request.

    A job gets an answer to a request that was sent at most `window_s` before it asked: what it sees
    is never older than that. Errors are shared by those who wait for them and kept for nobody; a
    request that ran out of the time of the job that began it is asked again by the others.

    Use it with `async with`: leaving cancels what is still under way.
    """

    def __init__(self, clock: Clock, window_s: float, shared: Callable[[], None]) -> None:
        """`shared` is told of each answer that a job got without a request of its own."""
        self._clock = clock
        self._window_s = window_s
        self._shared = shared
        self._flights: dict[Hashable, _Flight] = {}
        self._tasks: set[asyncio.Task[Answer] | asyncio.Task[None]] = set()

    async def answer(self, key: Hashable, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer to what `key` stands for, asked for by `ask` if nobody else does.

        Args:
            key: Whatever makes a difference: method, URL, body, headers, credentials.
            ask: Sends the request. It must be a read, because several jobs get what it brings.

        Raises:
            Exception: What `ask` raises.
        """
        if self._window_s <= 0:
            return await ask()
        flight = self._flights.get(key)
        if flight is None or self._clock.monotonic_s() - flight.began_s > self._window_s:
            # One job that gives up must not end the request for the others.
            return await asyncio.shield(self._begin(key, ask))
        try:
            answer = await asyncio.shield(flight.task)
        except (TimeoutError, HttpTimeoutError, CallTimeout):
            return await ask()
        except asyncio.CancelledError:
            if not flight.task.cancelled():
                raise
            return await ask()
        self._shared()
        return answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """End what is still under way; leave before the session is closed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, key: Hashable, ask: Callable[[], Awaitable[Answer]]) -> asyncio.Task[Answer]:
        async def asked() -> Answer:
            return await ask()

        task = asyncio.create_task(asked(), name="shared read")
        flight = self._flights[key] = _Flight(task, self._clock.monotonic_s())
        keeper = asyncio.create_task(self._keep(key, flight), name="shared read kept")
        for each in (task, keeper):
            self._tasks.add(each)
            each.add_done_callback(self._tasks.discard)
        return task

    async def _keep(self, key: Hashable, flight: _Flight) -> None:
        """Forget a flight at the end of its window, one that brought an error at once."""
        await asyncio.wait([flight.task])
        failed = flight.task.cancelled() or flight.task.exception() is not None
        if not failed and flight.task.result().status < _BAD_REQUEST:
            left_s = flight.began_s + self._window_s - self._clock.monotonic_s()
            await self._clock.sleep(max(left_s, 0))
        if self._flights.get(key) is flight:
            del self._flights[key]
