from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from runtime.backoff import Backoff
from worker.context import Context
from worker.errors import GatewayError, TimedOut, Unsupported
from worker.gateway import JobCall
from worker.job import Job
from worker.slots import Slots
from worker.waiting import pause, settled

_log = structlog.get_logger(__name__)

_BACKOFF: Final = Backoff(first_s=0.1, factor=2.0, cap_s=2.0)

_QUIET_S: Final = 0.05
"""A stream that brings nothing for so long while the worker stops has been read out."""


class Streamer:
    """Takes jobs from StreamActivatedJobs, one read for each slot.

    While no slot is free nothing is read: HTTP/2 flow control then holds the gateway back once the
    stream's window is full (`worker.channel`), and it gives its jobs to other workers.
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
        self._call: JobCall[Job] | None = None
        self._failures = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Keep a stream open until `stop` is set, or the gateway says that it has none.

        After `stop` the jobs that the gateway has already pushed are read out and accepted.
        """
        while not stop.is_set():
            try:
                self._call = await self._gateway.stream(self._options)
                await self._read(self._call)
            except TimedOut:
                # The stream's regular end.
                self._failures = 0
                continue
            except Unsupported:
                _log.warning("streaming_unsupported", job_type=self._options.job_type)
                return
            except GatewayError as error:
                if self._failures == 0:
                    _log.warning("stream_failed", error=type(error).__name__)
                self._observer.poll_failed(error)
            finally:
                self._call = None
            self._failures += 1
            await pause(stop, self._clock, _BACKOFF.delay_s(self._failures, self._random))

    def cancel_call(self) -> bool:
        """End the open stream; what has arrived is still accepted. False when there is none."""
        if self._call is None:
            return False
        self._call.cancel()
        return True

    async def _read(self, call: JobCall[Job]) -> None:
        while await self._slots.take(1, 1):
            job = None
            try:
                job = await call.read()
            finally:
                if job is None:
                    self._slots.give_back(1)
            if job is None:
                return
            self._failures = 0
            self._accept([job])
        await self._read_out(call)

    async def _read_out(self, call: JobCall[Job]) -> None:
        """Accept what has been pushed while the worker was full, then end the stream."""
        job: Job | None
        while True:
            reading = asyncio.ensure_future(call.read())
            if await settled([reading], self._clock, _QUIET_S):
                call.cancel()
            job = await reading
            if job is None:
                return
            self._accept([job])
