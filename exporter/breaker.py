from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from exporter.waiting import until
from runtime.clock import Clock

LONGEST_RETRY_AFTER_S = 3_600.0
"""A backend that asks for more is asked once an hour all the same."""


class BreakerState(StrEnum):
    """Whether the backend is asked."""

    CLOSED = "closed"
    """It is."""
    OPEN = "open"
    """It failed too often in a row; it is left alone for a while."""
    HALF_OPEN = "half_open"
    """One request finds out; the others wait for it."""

    @property
    def number(self) -> int:
        """For the metric: 0 closed, 1 half open, 2 open."""
        return (BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN).index(self)


class Breaker:
    """Keeps all lanes from asking a backend that is away, and lets one find out when it is back.

    Only what says that the backend is away counts as a failure. A batch that it refuses is an
    answer; else one lane's bad batch would hold up the others.

    Args:
        failures: Failed tries in a row that open it.
        probe_s: How long it stays open before one request may try.
        clock: Time.
    """

    def __init__(self, failures: int, probe_s: float, clock: Clock) -> None:
        self._failures = failures
        self._probe_s = probe_s
        self._clock = clock
        self._in_a_row = 0
        self._state = BreakerState.CLOSED
        self._not_before_s = clock.monotonic_s()
        self._probe: object | None = None
        self._changed = asyncio.Event()

    @property
    def state(self) -> BreakerState:
        """Whether the backend is asked."""
        return self._state

    @property
    def is_closed(self) -> bool:
        """Whether it lets requests through."""
        return self._state is BreakerState.CLOSED

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until a request may be made, and make it within the block."""
        probe = await self._admitted()
        try:
            yield
        finally:
            # A probe that neither failed nor succeeded (it was cancelled, or no request was made)
            # leaves the way to the next one, unless a late answer has opened the breaker meanwhile
            # and the next one is under way already.
            if probe is not None and self._probe is probe:
                self._probe = None
                self._tell()

    def succeeded(self) -> None:
        """The backend answered, be it with a refusal."""
        self._in_a_row = 0
        self._probe = None
        if self._state is not BreakerState.CLOSED:
            self._state = BreakerState.CLOSED
            self._tell()

    def failed(self, retry_after_s: float | None = None) -> None:
        """The backend was away.

        Args:
            retry_after_s: How long it asked to be left alone; holds for every lane.
        """
        now_s = self._clock.monotonic_s()
        self._in_a_row += 1
        wait_s = min(retry_after_s or 0.0, LONGEST_RETRY_AFTER_S)
        if self._state is BreakerState.HALF_OPEN or self._in_a_row >= self._failures:
            self._state = BreakerState.OPEN
            wait_s = max(wait_s, self._probe_s)
        self._probe = None
        self._not_before_s = max(self._not_before_s, now_s + wait_s)
        self._tell()

    async def _admitted(self) -> object | None:
        """Wait for the turn; gives the probe if it is one."""
        while True:
            delay_s = self._not_before_s - self._clock.monotonic_s()
            if delay_s > 0:
                await until(self._changed, delay_s, self._clock)
            elif self._state is BreakerState.CLOSED:
                return None
            elif self._probe is None:
                self._state = BreakerState.HALF_OPEN
                self._probe = object()
                return self._probe
            else:
                await self._changed.wait()

    def _tell(self) -> None:
        """Wake all who wait, to look again."""
        self._changed.set()
        self._changed = asyncio.Event()
