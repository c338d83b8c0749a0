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
"""A stream that has brought nothing for so long is read out: ending it loses no job."""

_CALM_RENEWAL_SHARE: Final = 0.8
"""From this part of its life on a stream is renewed as soon as it is quiet.

At its deadline gRPC drops what it has received and nobody has read; a busy stream must not get
there, and an idle one loses nothing.
"""


class Streamer:
    """Takes jobs from StreamActivatedJobs, one read for each slot.

    While no slot is free nothing is read: HTTP/2 flow control then holds the gateway back once the
    stream's window is full (`worker.channel`), and it gives its jobs to other workers.

    A stream can only be ended by cancelling it, and jobs that are on the wire at that moment are
    lost to their time-out: under steady load one or two each time the worker stops. Whoever can't
    live with that polls.
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
        self._calm_renewal_s = self._options.stream_renewal_s * _CALM_RENEWAL_SHARE

    async def run(self, stop: asyncio.Event) -> None:
        """Keep a stream open until `stop` is set, or the gateway says that it has none.

        After `stop` the jobs that the gateway has already pushed are read out and accepted.
        """
        while not stop.is_set():
            began_s = self._clock.monotonic_s()
            error = await self._stream()
            if isinstance(error, Unsupported):
                _log.warning("streaming_unsupported", job_type=self._options.job_type)
                return
            lived = self._clock.monotonic_s() - began_s >= self._calm_renewal_s
            if lived and (error is None or isinstance(error, TimedOut)):
                # The regular end, which the next stream follows at once.
                self._failures = 0
                continue
            if error is not None:
                self._report(error)
            self._failures += 1
            await pause(stop, self._clock, _BACKOFF.delay_s(self._failures, self._random))

    def cancel_call(self) -> bool:
        """End the open stream; what has arrived is still accepted. False when there is none."""
        if self._call is None:
            return False
        self._call.cancel()
        return True

    async def _stream(self) -> GatewayError | None:
        """Keep one stream open to its end; gives what ended it, None for a good end."""
        try:
            self._call = await self._gateway.stream(self._options)
            await self._read(self._call)
        except GatewayError as error:
            return error
        finally:
            self._call = None
        return None

    def _report(self, error: GatewayError) -> None:
        if self._failures == 0:
            _log.warning(
                "stream_failed", error=type(error).__name__, job_type=self._options.job_type
            )
        self._observer.poll_failed(error)

    async def _read(self, call: JobCall[Job]) -> None:
        renew_s = self._clock.monotonic_s() + self._calm_renewal_s
        while await self._slots.take(1, 1):
            job = None
            try:
                late = self._clock.monotonic_s() >= renew_s
                job = await (self._read_unless_quiet(call) if late else call.read())
            finally:
                if job is None:
                    self._slots.give_back(1)
            if job is None:
                return
            self._failures = 0
            self._accept([job])
        # The worker stops: what was pushed while it was full is accepted, then the stream ends.
        while (job := await self._read_unless_quiet(call)) is not None:
            self._accept([job])

    async def _read_unless_quiet(self, call: JobCall[Job]) -> Job | None:
        """Read one job; when none comes for a moment, end the stream, for nothing is lost then."""
        reading = asyncio.ensure_future(call.read())
        try:
            if await settled([reading], self._clock, _QUIET_S):
                call.cancel()
            return await reading
        finally:
            reading.cancel()  # it may be we who are cancelled, and nobody reads on then
