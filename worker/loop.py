from __future__ import annotations

import asyncio
import random as _random
from typing import Final

from runtime.backoff import Random
from runtime.clock import Clock, SystemClock
from worker.context import Context
from worker.executor import Executor, Handler
from worker.gateway import Gateway
from worker.job import Job
from worker.observer import NoObserver, Observer
from worker.options import WorkerOptions
from worker.poller import Poller
from worker.slots import Slots
from worker.streamer import Streamer
from worker.waiting import settled


class Worker:
    """Fetches jobs of one type, gives each to the handler, and tells the gateway what became of it.

    Delivery is at least once: a job whose outcome is lost on the way is handled again after its
    time-out, here or elsewhere.

    Life of a worker:

    - `run` works until `stop` is set and returns when nothing is in hand any more. It runs once;
      a second call raises `RuntimeError`.
    - A gateway that is away, refuses the credentials or knows no such call is asked again for ever,
      at most 2 s apart, and `problem` says why. `run` never raises for anything a gateway does.
    - When `stop` is set no poll is begun. The one that is open may answer for `stop_grace_ms`: a
      gateway with a backlog answers by then, and cancelling a poll whose answer is on the wire
      would leave its jobs to their time-out. Then it is cancelled; Zeebe itself takes back jobs
      that it activated but has not sent (camunda/camunda issues 3631 and 8917). What is left of
      the risk is an answer sent in the very moment of the cancel. A stream is read out likewise.
    - Jobs that come in after `stop` are handed back at once: FailJob with unchanged retries.
    - Jobs in hand get `drain_deadline_s` from `stop` on; the handlers that are not done then are
      cancelled and their jobs handed back, within 3 s more.
    - Cancelling `run` ends it at once: the jobs in hand wait for their time-out.
    - A fault of our own in a poll or stream ends `run` with that error, after the same drain.

    At most `max_jobs_active` jobs are held at once, polled and streamed together, unless the
    gateway gives more than it was asked for.
    """

    def __init__(
        self,
        gateway: Gateway,
        options: WorkerOptions,
        handler: Handler,
        *,
        clock: Clock | None = None,
        random: Random = _random.random,
        observer: Observer | None = None,
    ) -> None:
        """Make a worker, which does nothing before `run`.

        Args:
            gateway: Where jobs come from; it is not closed by the worker, and may serve several.
            options: What to ask for.
            handler: Says what becomes of a job.
            clock: Time.
            random: Jitter of the waits.
            observer: Sees what happens.
        """
        self._context: Final = Context(
            gateway, options, clock or SystemClock(), random, observer or NoObserver()
        )
        self._slots = Slots(options.max_jobs_active)
        self._stopping = asyncio.Event()
        self._started = False
        self._late: list[Job] = []
        self._executor = Executor(self._context, self._slots, handler)
        self._poller = Poller(self._context, self._slots, self._accept)
        self._streamer = (
            Streamer(self._context, self._slots, self._accept) if options.stream_enabled else None
        )

    @property
    def problem(self) -> str | None:
        """Why no jobs come just now, in words for a user; None while the gateway answers."""
        return self._poller.problem

    @property
    def jobs_in_hand(self) -> int:
        """Jobs that are being handled or whose outcome is on its way."""
        return self._executor.in_hand

    async def run(self, stop: asyncio.Event, drain_deadline_s: float) -> None:
        """Work until `stop` is set, then drain; the class says what that means.

        Args:
            stop: Ends the work.
            drain_deadline_s: Seconds that jobs in hand may still take after `stop`.

        Raises:
            RuntimeError: The worker has run before.
        """
        if self._started:
            raise RuntimeError("a worker runs once; make a new one")
        self._started = True
        stopped = asyncio.create_task(stop.wait())
        watching = asyncio.create_task(self._executor.watch_deadlines())
        sources: dict[asyncio.Task[None], Poller | Streamer] = {
            asyncio.create_task(self._poller.run(self._stopping)): self._poller
        }
        if self._streamer:
            sources[asyncio.create_task(self._stream(self._streamer))] = self._streamer
        tasks = (stopped, watching, *sources)
        try:
            # Nothing but `stopped` ends by itself; another one that does has raised.
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            began_s = self._context.clock.monotonic_s()
            await self._close(sources)
            self._executor.hand_back(self._late)
            await self._executor.drain(
                max(drain_deadline_s - (self._context.clock.monotonic_s() - began_s), 0)
            )
        finally:
            for task in tasks:
                task.cancel()
            await self._executor.abandon()
            await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled() and (fault := task.exception()):
                raise fault

    async def _stream(self, streamer: Streamer) -> None:
        """Stream as long as the gateway can; polling alone has to do afterwards."""
        self._poller.beside_stream = True
        await streamer.run(self._stopping)
        self._poller.beside_stream = False
        await self._stopping.wait()

    async def _close(self, sources: dict[asyncio.Task[None], Poller | Streamer]) -> None:
        """Begin no poll any more; let the open ones answer for a moment, then end them."""
        self._stopping.set()
        self._slots.close()
        open_tasks = await settled(
            sources, self._context.clock, self._context.options.stop_grace_ms / 1000
        )
        for task in open_tasks:
            if not sources[task].cancel_call():
                # It still waits for credentials: the gateway knows of nothing yet.
                task.cancel()
        if open_tasks:
            await asyncio.wait(open_tasks)

    def _accept(self, jobs: list[Job]) -> None:
        self._context.observer.jobs_activated(len(jobs))
        if self._stopping.is_set():
            # Handed back only when no poll is open: the gateway would give them to us again.
            self._late.extend(jobs)
        else:
            self._executor.start(jobs)
