from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import ceil
from typing import Final

import structlog

from runtime.backoff import Backoff
from worker.context import Context
from worker.errors import GatewayError
from worker.gateway import JobCall
from worker.job import Job
from worker.slots import Slots
from worker.waiting import pause, settled

_log = structlog.get_logger(__name__)

_REFILL_SHARE: Final = 0.3
"""Part of the window that is free before the next poll: fewer and fuller batches."""

_LINGER_S: Final = 0.02
"""How long a free slot waits for others, so that slow jobs don't hold a window half empty."""

_NO_WAIT_MS: Final = -1
"""Zeebe answers a poll with a negative request time-out at once."""

_FAILED: Final = Backoff(first_s=0.1, factor=2.0, cap_s=2.0)
_EMPTY: Final = Backoff(first_s=0.05, factor=2.0, cap_s=1.0)


class Poller:
    """Fetches jobs by ActivateJobs, one poll at a time, whenever enough slots are free.

    The first poll, and each one after a failure, asks for an immediate answer, so that it is soon
    known whether the gateway is there; the others stay open for `long_poll_ms`.
    """

    def __init__(
        self,
        context: Context,
        slots: Slots,
        accept: Callable[[list[Job]], None],
    ) -> None:
        self._gateway = context.gateway
        self._options = context.options
        self._slots = slots
        self._accept = accept
        self._clock = context.clock
        self._random = context.random
        self._observer = context.observer
        self._threshold = ceil(context.options.max_jobs_active * _REFILL_SHARE)
        self._call: JobCall[list[Job]] | None = None
        self._failures = 0
        self._empty = 0
        self.beside_stream = False
        """Poll now and then only, because a stream brings the new jobs."""
        self.problem: str | None = "no answer from the gateway yet"
        """Why no jobs come; None while all is well."""

    async def run(self, stop: asyncio.Event) -> None:
        """Poll until `stop` is set; returns when the poll that is open then has ended."""
        while count := await self._claim():
            await pause(stop, self._clock, await self._poll(count))
            if stop.is_set():
                return

    def cancel_call(self) -> bool:
        """End the open poll; what has arrived is still accepted. False when there is none."""
        if self._call is None:
            return False
        self._call.cancel()
        return True

    async def _claim(self) -> int:
        """Take slots for a batch: enough of them, or what is free after a short wait for more."""
        most = self._options.max_jobs_active
        count = await self._slots.take(1, most)
        if 0 < count < self._threshold:
            more = asyncio.ensure_future(self._slots.take(self._threshold - count, most))
            if await settled([more], self._clock, _LINGER_S):
                more.cancel()
                await asyncio.wait([more])
            count += self._slots.take_free(most) if more.cancelled() else more.result()
        return count

    async def _poll(self, count: int) -> float:
        """Poll once for `count` jobs whose slots are taken; gives the pause after it in seconds."""
        wait_ms = _NO_WAIT_MS if self.problem or self.beside_stream else self._options.long_poll_ms
        began_s = self._clock.monotonic_s()
        taken = 0
        try:
            self._call = await self._gateway.activate(self._options, count, wait_ms)
            while (jobs := await self._call.read()) is not None:
                taken += len(jobs)
                self._accept(jobs)
        except GatewayError as error:
            return self._failed(error)
        finally:
            self._call = None
            self._slots.give_back(count - taken)
        return self._answered(taken, wait_ms, self._clock.monotonic_s() - began_s)

    def _failed(self, error: GatewayError) -> float:
        if self._failures == 0:
            _log.warning("poll_failed", error=type(error).__name__, job_type=self._options.job_type)
        self._failures += 1
        self.problem = str(error)
        self._observer.poll_failed(error)
        return _FAILED.delay_s(self._failures, self._random)

    def _answered(self, taken: int, wait_ms: int, lasted_s: float) -> float:
        if self._failures:
            _log.info("poll_recovered", failures=self._failures, job_type=self._options.job_type)
        probed = self.problem is not None
        self._failures = 0
        self.problem = None
        if taken:
            self._empty = 0
            return 0.0
        if self.beside_stream:
            return self._options.poll_beside_stream_ms / 1000 * (1 - 0.2 * self._random())
        # A long poll that comes back empty at once must not become a busy loop: some gateways have
        # long polling switched off.
        if probed or lasted_s * 1000 >= wait_ms / 2:
            self._empty = 0
            return 0.0
        self._empty += 1
        return _EMPTY.delay_s(self._empty, self._random)
