from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from exporter.errors import ExporterError, InboxFull, SourceUnavailable, StateUnavailable
from exporter.sources import SourceOptions
from exporter.sources.listener.gateway import JobGateway, Settled
from exporter.sources.listener.job import Job, positioned, record_of
from exporter.sources.listener.job_inbox import JobInbox, Kept
from runtime.backoff import Backoff

_POLLS_AT_ONCE = 2
"""While the jobs of one poll are written to disk, another one waits at the cluster already."""

_AT_ONCE = 16
_FORGET_EVERY_S = 5.0
_FOREIGN = (
    "this job is of no user task listener, but its type is the one that the app integrations "
    "exporter takes; give one of them another type"
)


@dataclass(slots=True)
class Tally:
    """What was done with jobs since the start, for the status page."""

    taken: int = 0
    kept: int = 0
    completed: int = 0
    failed: int = 0
    trouble: str | None = None
    """Why no jobs are taken or kept, if so."""


class Collector:
    """Takes listener jobs, keeps the record of each, and completes it.

    Args:
        gateway: The cluster's jobs.
        inbox: Where records wait.
        options: What all sources are made from.
        job_timeout_s: How long a job is ours; then it is given out again.
    """

    def __init__(
        self,
        gateway: JobGateway,
        inbox: JobInbox,
        options: SourceOptions,
        job_timeout_s: float,
    ) -> None:
        self._gateway = gateway
        self._inbox = inbox
        self._options = options
        self._clock = options.clock
        self._job_timeout_s = job_timeout_s
        self._backoff = Backoff(first_s=0.2, cap_s=5.0)
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._done: deque[tuple[float, int]] = deque()
        self._log = structlog.get_logger("exporter.sources.listener")
        self.tally = Tally()

    async def run(self) -> None:
        """Collect until cancelled.

        Jobs that a former process kept, and is not known to have completed, are completed first:
        user tasks wait for them.

        Raises:
            SourceRefused: The cluster will not give jobs this way.
            StateUnusable: The inbox is broken.
        """
        async with asyncio.TaskGroup() as group:
            for job_key in await self._inbox.unsettled():
                group.create_task(self._complete(job_key))
            group.create_task(self._forget())
            for _ in range(_POLLS_AT_ONCE):
                group.create_task(self._poll(group))

    async def _poll(self, group: asyncio.TaskGroup) -> None:
        attempt = 0
        while True:
            try:
                jobs = await self._gateway.take()
            except SourceUnavailable as error:
                attempt += 1
                await self._pause(error, attempt, error.retry_after_s)
                continue
            attempt = 0
            self.tally.trouble = None
            await self._collect(jobs, group)

    async def _collect(self, jobs: Sequence[Job], group: asyncio.TaskGroup) -> None:
        self.tally.taken += len(jobs)
        ours = [job for job in jobs if job.is_of_listener]
        await self._keep(ours)
        for job in ours:
            group.create_task(self._complete(job.key))
        for job in jobs:
            if not job.is_of_listener:
                group.create_task(self._fail(job))

    async def _keep(self, jobs: Sequence[Job]) -> None:
        """Make the records durable, however long that takes; until then user tasks wait."""
        now_ms = self._clock.now_ms()
        records = [Kept(job.key, job.partition_id, record_of(job, now_ms)) for job in jobs]
        wanted = [each for each in records if self._is_wanted(each.raw)]
        if not wanted:
            return
        attempt = 0
        while True:
            try:
                self.tally.kept += await self._inbox.keep(wanted)
            except (InboxFull, StateUnavailable) as error:
                attempt += 1
                if attempt == 1:
                    self._options.observer.warned(f"user tasks wait for their listener: {error}")
                await self._pause(error, attempt)
            else:
                self.tally.trouble = None
                return

    def _is_wanted(self, record: bytes) -> bool:
        return self._options.sieve.one(positioned(record, 0)) is not None

    async def _complete(self, job_key: int) -> None:
        """Complete a job, however long the cluster is away; one that is gone is done."""
        attempt = 0
        async with self._places:
            while True:
                try:
                    settled = await self._gateway.complete(job_key)
                except SourceUnavailable as error:
                    attempt += 1
                    await self._pause(error, attempt, error.retry_after_s)
                else:
                    break
        if settled is Settled.DONE:
            self.tally.completed += 1
            self._done.append((self._clock.monotonic_s(), job_key))

    async def _fail(self, job: Job) -> None:
        self.tally.failed += 1
        self._log.warning("job is of no user task listener", job_key=job.key, kind=job.kind)
        try:
            await self._gateway.fail(job, _FOREIGN)
        except SourceUnavailable as error:
            # It is given out again when its time is over, and failed then.
            self.tally.trouble = str(error)

    async def _forget(self) -> None:
        """Remember completed jobs until no answer with them can be under way any more."""
        while True:
            await self._clock.sleep(_FORGET_EVERY_S)
            limit_s = self._clock.monotonic_s() - 2 * self._job_timeout_s
            over = []
            while self._done and self._done[0][0] <= limit_s:
                over.append(self._done.popleft()[1])
            if not over:
                continue
            try:
                await self._inbox.settle(over)
            except StateUnavailable as error:
                self._log.warning("completed jobs stay remembered", reason=str(error))

    async def _pause(
        self, error: ExporterError, attempt: int, at_least_s: float | None = None
    ) -> None:
        self.tally.trouble = str(error)
        delay_s = self._backoff.delay_s(attempt, self._options.random)
        await self._clock.sleep(max(delay_s, at_least_s or 0.0))
