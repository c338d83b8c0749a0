from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from runtime.clock import Clock, SystemClock
from tests.kit.clock import FakeClock
from tests.kit.gateway import ScriptedGateway
from tests.kit.waiting import PATIENCE_S, eventually
from worker.errors import GatewayError
from worker.executor import Handler
from worker.gateway import Gateway
from worker.job import Job
from worker.loop import Worker
from worker.observer import Ending, Observer
from worker.options import WorkerOptions
from worker.outcome import Complete, Outcome


@dataclass(slots=True)
class RecordingObserver(Observer):
    """Remembers what it saw."""

    activated: list[int] = field(default_factory=list)
    in_hand: list[int] = field(default_factory=list)
    endings: Counter[Ending] = field(default_factory=Counter)
    durations_s: list[float] = field(default_factory=list)
    retried: list[type[GatewayError]] = field(default_factory=list)
    poll_failures: list[type[GatewayError]] = field(default_factory=list)

    @override
    def jobs_activated(self, count: int) -> None:
        self.activated.append(count)

    @override
    def jobs_in_hand(self, count: int) -> None:
        self.in_hand.append(count)

    @override
    def job_ended(self, ending: Ending, duration_s: float) -> None:
        self.endings[ending] += 1
        self.durations_s.append(duration_s)

    @override
    def command_retried(self, error: GatewayError) -> None:
        self.retried.append(type(error))

    @override
    def poll_failed(self, error: GatewayError) -> None:
        self.poll_failures.append(type(error))


@dataclass(frozen=True, slots=True)
class Running:
    """A worker at work.

    Attributes:
        worker: The worker.
        client: Its side of the connection.
        stop: Set it to stop the worker.
        task: Ends when the worker has drained.
        seen: What its observer saw.
        clock: Its time.
    """

    worker: Worker
    client: Gateway
    stop: asyncio.Event
    task: asyncio.Task[None]
    seen: RecordingObserver
    clock: Clock

    async def stopped(self) -> None:
        """Stop the worker and wait until it has drained; a clock of the test's is let run."""
        self.stop.set()
        async with asyncio.timeout(PATIENCE_S):
            while isinstance(self.clock, FakeClock) and not self.task.done():
                await self.clock.advance(min(self.clock.sleeping_s, default=0.0))
                await asyncio.wait({self.task}, timeout=0.01)
            await self.task

    async def waits(self, delay_s: float) -> None:
        """Wait until the worker waits for its clock to be so much later."""
        clock = self.clock
        assert isinstance(clock, FakeClock)
        await eventually(lambda: any(abs(left_s - delay_s) < 1e-6 for left_s in clock.sleeping_s))


@asynccontextmanager
async def running(
    gateway: ScriptedGateway,
    handler: Handler,
    *,
    drain_s: float = 5.0,
    connection: dict[str, Any] | None = None,
    clock: Clock | None = None,
    **options: Any,
) -> AsyncIterator[Running]:
    """Run a worker against `gateway`; it is stopped at the end if the test has not done so.

    With a clock of the test's the gateway reckons deadlines by it as well.
    """
    defaults = {
        "job_type": "demo",
        "worker_name": "tested",
        "stop_grace_ms": 50,
        "command_timeout_ms": round(PATIENCE_S * 1000),
    }
    gateway.clock = clock = clock or SystemClock()
    async with Gateway(gateway.address, clock=clock, **(connection or {})) as client:
        seen = RecordingObserver()
        # The most jitter makes the shortest waits, and the same ones each time.
        worker = Worker(
            client,
            WorkerOptions(**(defaults | options)),
            handler,
            clock=clock,
            random=lambda: 0.999,
            observer=seen,
        )
        stop = asyncio.Event()
        task = asyncio.create_task(worker.run(stop, drain_s))
        run = Running(worker, client, stop, task, seen, clock)
        try:
            yield run
        finally:
            await run.stopped()


async def complete(job: Job) -> Outcome:
    """Finish each job at once."""
    return Complete()


class Held:
    """A handler whose jobs wait until the test lets them go."""

    def __init__(self) -> None:
        self.jobs: dict[int, asyncio.Future[Outcome]] = {}
        self.seen: list[Job] = []

    async def __call__(self, job: Job) -> Outcome:
        self.seen.append(job)
        waiting = self.jobs[job.key] = asyncio.get_running_loop().create_future()
        try:
            return await waiting
        finally:
            self.jobs.pop(job.key, None)

    def release(self, count: int | None = None, outcome: Outcome | None = None) -> None:
        """Finish the `count` oldest jobs, or all of them."""
        for key in list(self.jobs)[:count]:
            waiting = self.jobs.pop(key)
            if not waiting.done():
                waiting.set_result(outcome or Complete())
