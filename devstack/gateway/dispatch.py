"""Gives jobs to those that wait for them: to streams as they come up, else to long polls."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from devstack.engine import ActivatedJob, Engine, JobRequest
from devstack.waiting import within
from runtime.clock import Clock

STREAM_BUFFER_BYTES = 32 * 1024
"""What may wait to be written to a stream before it gets no more, as in gRPC's own servers."""


@dataclass(slots=True, eq=False)
class Poll:
    """A request that waits for the first jobs of its type."""

    request: JobRequest
    jobs: asyncio.Future[list[ActivatedJob]]


@dataclass(slots=True, eq=False)
class JobStream:
    """A client to which jobs are pushed as they come up, until its buffer is full."""

    request: JobRequest
    waiting: deque[ActivatedJob] = field(default_factory=deque)
    filled: asyncio.Event = field(default_factory=asyncio.Event)
    buffered_bytes: int = 0

    def push(self, job: ActivatedJob) -> None:
        """Put a job in line to be written."""
        self.waiting.append(job)
        self.buffered_bytes += len(job.variables)
        self.filled.set()

    async def next(self) -> ActivatedJob:
        """The job to write now; it stays in line until `written`."""
        while not self.waiting:
            self.filled.clear()
            await self.filled.wait()
        return self.waiting[0]

    def written(self) -> None:
        """The job in front has gone out."""
        self.buffered_bytes -= len(self.waiting.popleft().variables)


class Dispatch:
    """Who waits for which jobs.

    The engine announces a job in the middle of its work; it is given out right after that, in the
    event loop's next turn.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._polls: dict[str, deque[Poll]] = {}
        self._streams: dict[str, deque[JobStream]] = {}
        self._announced: dict[str, list[int]] = {}
        engine.on_job(self._announce)

    async def wait(self, request: JobRequest, delay_s: float) -> list[ActivatedJob]:
        """The first jobs that come up within `delay_s`, in turn with others that wait; else none.

        Jobs that were given to a wait that is cancelled go back.
        """
        poll = Poll(request, asyncio.get_running_loop().create_future())
        self._polls.setdefault(request.type, deque()).append(poll)
        try:
            await within(self._clock, delay_s, poll.jobs)
            return poll.jobs.result() if poll.jobs.done() else []
        except asyncio.CancelledError:
            if poll.jobs.done() and not poll.jobs.cancelled():
                self.hand_back(poll.jobs.result())
            raise
        finally:
            self._leave(poll)

    def hand_back(self, jobs: Iterable[ActivatedJob]) -> None:
        """Offer jobs again that did not reach their worker."""
        for each in jobs:
            self._engine.yield_job(each.job.key)

    def _leave(self, poll: Poll) -> None:
        poll.jobs.cancel()
        polls = self._polls.get(poll.request.type)
        if polls is not None and poll in polls:
            polls.remove(poll)
            if not polls:
                del self._polls[poll.request.type]

    def add_stream(self, request: JobRequest) -> JobStream:
        """Push jobs that come up from now on."""
        stream = JobStream(request)
        self._streams.setdefault(request.type, deque()).append(stream)
        return stream

    def remove_stream(self, stream: JobStream) -> None:
        """Push no more; jobs that were not written go back."""
        streams = self._streams[stream.request.type]
        streams.remove(stream)
        if not streams:
            del self._streams[stream.request.type]
        self.hand_back(stream.waiting)

    def _announce(self, job_type: str, key: int) -> None:
        waited_for = job_type in self._streams or job_type in self._polls
        if not waited_for:
            return
        if not self._announced:
            asyncio.get_running_loop().call_soon(self._give_out)
        self._announced.setdefault(job_type, []).append(key)

    def _give_out(self) -> None:
        announced, self._announced = self._announced, {}
        for job_type, keys in announced.items():
            for key in keys:
                self._push(job_type, key)
            self._answer_polls(job_type)

    def _push(self, job_type: str, key: int) -> None:
        """Give one job to the next stream that has room and may have it."""
        streams = self._streams.get(job_type, ())
        for stream in list(streams):
            if stream.buffered_bytes < STREAM_BUFFER_BYTES:
                job = self._engine.activate_job(key, stream.request)
                if job is not None:
                    stream.push(job)
                    self._streams[job_type].rotate(-1)
                    return

    def _answer_polls(self, job_type: str) -> None:
        polls = self._polls.get(job_type, ())
        for poll in list(polls):
            jobs = self._engine.activate_jobs(poll.request) if not poll.jobs.done() else []
            if jobs:
                poll.jobs.set_result(jobs)
                self._polls[job_type].remove(poll)
        if not self._polls.get(job_type, True):
            del self._polls[job_type]
