from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Final

import structlog

from worker.context import Context
from worker.delivery import Delivery
from worker.job import Job, log_fields
from worker.observer import Ending
from worker.outcome import Fail, Outcome
from worker.slots import Slots
from worker.waiting import settled

_log = structlog.get_logger(__name__)

Handler = Callable[[Job], Awaitable[Outcome]]
"""What a job means. It runs in the event loop, must not block it, and may be cancelled."""

HAND_BACK_S: Final = 3.0
"""How long handing back may take: with a drain of 25 s it ends within Kubernetes' 30 s."""

OVERDUE_CHECK_S: Final = 1.0
"""How often jobs in hand are compared with their deadlines; a timer a job would cost more."""


class Executor:
    """Runs the handler for each job and delivers its outcome: one task a job, every task kept.

    A handler that raises has a fault of its own: its job fails with one retry used. A handler that
    is still busy at its job's deadline is cancelled, because the engine gives the job to another
    worker then and two answers to one question are worth less than the slot.
    """

    def __init__(self, context: Context, slots: Slots, handler: Handler) -> None:
        self._handler = handler
        self._slots = slots
        self._delivery = Delivery(context)
        self._deadlines = context.gateway.deadlines
        self._clock = context.clock
        self._observer = context.observer
        self._tasks: set[asyncio.Task[None]] = set()
        # Tasks that are inside the handler, which alone may be interrupted.
        self._handling: dict[asyncio.Task[None], Job] = {}
        self._interrupted: dict[asyncio.Task[None], Ending] = {}
        self._handing_back = False

    @property
    def in_hand(self) -> int:
        """Jobs that are being handled or whose outcome is on its way."""
        return len(self._tasks)

    def start(self, jobs: Iterable[Job]) -> None:
        """Handle jobs whose slots were taken; each slot is given back at its job's end."""
        for job in jobs:
            self._keep(asyncio.create_task(self._run(job, self._work)))
        self._observer.jobs_in_hand(len(self._tasks))

    def hand_back(self, jobs: Iterable[Job]) -> None:
        """Give jobs back with their retries unchanged: another worker gets them at once."""
        for job in jobs:
            self._keep(asyncio.create_task(self._run(job, self._hand_back)))
        self._observer.jobs_in_hand(len(self._tasks))

    async def watch_deadlines(self) -> None:
        """Cancel handlers whose jobs are overdue, for ever."""
        while True:
            await self._clock.sleep(OVERDUE_CHECK_S)
            self._interrupt(
                [task for task, job in self._handling.items() if self._is_overdue(job)],
                Ending.OVERDUE,
            )

    async def drain(self, within_s: float) -> None:
        """Give the jobs in hand `within_s` seconds, then hand back what is still being handled.

        Outcomes that are already on their way get the time that handing back takes.
        """
        await settled(self._tasks, self._clock, within_s)
        self._handing_back = True
        self._interrupt(list(self._handling), Ending.HANDED_BACK)
        left = await settled(self._tasks, self._clock, HAND_BACK_S)
        if left:
            _log.error("jobs_left_to_their_timeout", count=len(left))
        await self.abandon()

    async def abandon(self) -> None:
        """Cancel whatever is left; its jobs wait for their time-out."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, job: Job, work: Callable[[Job], Awaitable[Ending]]) -> None:
        began_s = self._clock.monotonic_s()
        try:
            ending = await work(job)
            self._observer.job_ended(ending, self._clock.monotonic_s() - began_s)
        finally:
            self._deadlines.forget(job)
            self._slots.give_back(1)

    async def _work(self, job: Job) -> Ending:
        if self._handing_back:
            return await self._hand_back(job)
        if self._is_overdue(job):
            return self._overdue(job)
        match await self._handle(job):
            case Ending.HANDED_BACK:
                return await self._hand_back(job)
            case Ending():
                return self._overdue(job)
            case outcome:
                return await self._delivery.deliver(job, outcome)

    async def _hand_back(self, job: Job) -> Ending:
        ending = await self._delivery.deliver(
            job, Fail(job.retries, "Handed back unfinished: the worker is stopping.")
        )
        return Ending.HANDED_BACK if ending is Ending.FAILED else ending

    async def _handle(self, job: Job) -> Outcome | Ending:
        """The handler's outcome, or why it was interrupted."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine in a loop always has a task
        self._handling[task] = job
        try:
            return await self._handler(job)
        except asyncio.CancelledError as error:
            if task in self._interrupted:
                return self._interrupted[task]
            if task.cancelling():
                raise
            return _handler_fault(job, error)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises ends its job only
            return _handler_fault(job, error)
        finally:
            del self._handling[task]
            if self._interrupted.pop(task, None):
                task.uncancel()

    def _interrupt(self, tasks: Iterable[asyncio.Task[None]], reason: Ending) -> None:
        for task in tasks:
            if task not in self._interrupted:
                self._interrupted[task] = reason
                task.cancel()

    def _is_overdue(self, job: Job) -> bool:
        return self._deadlines.of(job) <= self._clock.now_ms()

    def _overdue(self, job: Job) -> Ending:
        # Late by minutes on arrival means that this machine's clock and the brokers' disagree.
        late_ms = self._clock.now_ms() - self._deadlines.of(job)
        _log.warning("job_overdue", late_ms=late_ms, **log_fields(job))
        return Ending.OVERDUE

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._observer.jobs_in_hand(len(self._tasks))
        if not task.cancelled() and (error := task.exception()):
            _log.error("job_task_broken", error=type(error).__name__, at=_origin(error))


def _handler_fault(job: Job, error: BaseException) -> Fail:
    """A failed job for a handler that raised; the exception's text may hold values."""
    name = type(error).__name__
    _log.error("handler_raised", error=name, at=_origin(error), **log_fields(job))
    return Fail(
        max(job.retries - 1, 0),
        f"The worker met a fault of its own ({name}); its log says where. Please report it.",
    )


def _origin(error: BaseException) -> str | None:
    """File and line that raised, which is all of a traceback that holds no values."""
    last: TracebackType | None = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last and f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}"
