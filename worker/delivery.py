from __future__ import annotations

from typing import Final, assert_never

import structlog

from runtime.backoff import Backoff
from worker.context import Context
from worker.errors import GatewayError, JobGone, Rejected, Retryable, TooLarge
from worker.job import Job, log_fields
from worker.observer import Ending
from worker.outcome import Complete, Fail, Outcome, ThrowError

_log = structlog.get_logger(__name__)

_BACKOFF: Final = Backoff(first_s=0.1, factor=2.0, cap_s=2.0)


class Delivery:
    """Brings outcomes to the gateway, however long that takes.

    A command is sent again until it is taken or the job's deadline comes: from then on the job is
    another worker's. Sending twice is harmless, because the second is answered NOT_FOUND.
    """

    def __init__(self, context: Context) -> None:
        self._gateway = context.gateway
        self._timeout_s = context.options.command_timeout_ms / 1000
        self._clock = context.clock
        self._random = context.random
        self._observer = context.observer

    async def deliver(self, job: Job, outcome: Outcome) -> Ending:
        """Tell the gateway what became of the job; a refused outcome becomes a failed job."""
        attempt = 0
        while True:
            try:
                await self._gateway.send(job, outcome, self._timeout_s)
            except JobGone:
                # Nothing is wrong: another worker was faster, or the instance was cancelled.
                _log.info("job_gone", **log_fields(job))
                return Ending.GONE
            except Retryable as error:
                attempt += 1
                delay_s = _BACKOFF.delay_s(attempt, self._random)
                if self._is_due_within(job, delay_s):
                    return _undelivered(job, error)
                self._observer.command_retried(error)
                await self._clock.sleep(delay_s)
            except Rejected as error:
                if isinstance(outcome, Fail):
                    return _undelivered(job, error)
                outcome = _refused(job, outcome, error)
            except GatewayError as error:
                return _undelivered(job, error)
            else:
                return _ending(outcome)

    def _is_due_within(self, job: Job, delay_s: float) -> bool:
        left_ms = self._gateway.deadlines.of(job) - self._clock.now_ms()
        return left_ms <= delay_s * 1000


def _refused(job: Job, outcome: Complete | ThrowError, error: Rejected) -> Fail:
    """What to report when the gateway refuses an outcome; its reason may quote variables."""
    retries = max(job.retries - 1, 0)
    if isinstance(error, TooLarge):
        return Fail(
            retries,
            f"The result has {len(outcome.variables_json)} bytes, more than the gateway takes in "
            "one message. Ask for fewer items or fields, keep less of the answer with a result "
            "expression, or raise the gateway's maxMessageSize.",
        )
    return Fail(
        retries,
        f"The gateway refused the worker's {type(outcome).__name__} command for this job. The "
        "gateway's log says why; most often the variables are not one JSON object.",
    )


def _ending(outcome: Outcome) -> Ending:
    match outcome:
        case Complete():
            return Ending.COMPLETED
        case Fail():
            return Ending.FAILED
        case ThrowError():
            return Ending.ERROR_THROWN
        case _:
            assert_never(outcome)


def _undelivered(job: Job, error: GatewayError) -> Ending:
    _log.error("outcome_undelivered", error=type(error).__name__, **log_fields(job))
    return Ending.UNDELIVERED
