"""The request of a batch, and what became of it.

    2xx ──────────────────────────────────────────── Delivered
    4xx, but for those that say "later" ──────────── Rejected     at once
    500 and other 5xx ────────────────────────────── Rejected     after all tries
    401 with an access token ─────────────────────── Rejected     after all tries, the token renewed
    502, 503, 504, 408, 425, 429, 1xx, 3xx,
    a web page for an answer, no whole answer,
    no access token ──────────────────────────────── Unavailable  after all tries

`Rejected` means that the batch itself is the problem, `Unavailable` that the backend is, or that it
cannot be told yet. A round of tries is what upstream calls a send: it ends with the first answer
that decides, with the last try, with its total time-out, or when the circuit breaker opens.

"All tries" are those that were answered so, over all rounds of a batch: a backend that needs most
of a round's time to answer 500 is asked as often as a quick one, and neither tries that were cut
nor an outage in between blame the batch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from exporter.backend import Answer, Backend, Request
from exporter.breaker import LONGEST_RETRY_AFTER_S, Breaker
from exporter.metrics import Metrics
from runtime.backoff import Backoff, Random
from runtime.clock import Clock
from runtime.errors import HttpError, HttpTimeoutError, TokenError, TokenUnavailableError
from runtime.retry_after import retry_after_s

_AWAY = frozenset({502, 503, 504})
_UNAUTHORIZED = 401
_WEB_PAGE = re.compile(rb"\s*<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The backend has taken the batch."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The batch itself is the problem.

    Attributes:
        status: HTTP status.
        reason: In words.
        headers: Of the answer.
    """

    status: int
    reason: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Not decided: the backend is away, overloaded, or has not refused often enough.

    Attributes:
        reason: In words.
        retry_after_s: How long it asked to wait, None when it did not.
        refusals: Tries of the batch so far, over all rounds, that were answered with a refusal.
    """

    reason: str
    retry_after_s: float | None = None
    refusals: int = 0


Outcome = Delivered | Rejected | Unavailable


@dataclass(frozen=True, slots=True)
class Policy:
    """How long and how often is tried.

    Attributes:
        tries: In one round, and how many must be answered with a server error to set a batch aside.
        total_s: For one round, waits included.
        try_s: For one try.
        backoff: Waits between tries, and on between rounds.
        later: Statuses of 4xx that ask to come again; upstream knows none.
    """

    tries: int = 3
    total_s: float = 5.0
    try_s: float = 5.0
    backoff: Backoff = Backoff(first_s=1.5, cap_s=5.0)  # noqa: RUF009 - frozen
    later: frozenset[int] = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What one try came to, whether another may come to something else, and how soon."""

    outcome: Outcome
    final: bool = False
    retry_after_s: float | None = None


class Delivery:
    """Sends batches, in rounds of tries.

    Args:
        backend: Where to.
        policy: How long and how often.
        breaker: Shared by all lanes.
        metrics: By upstream's names.
        clock: Time for waits and deadlines.
        random: Jitter.
    """

    def __init__(
        self,
        backend: Backend,
        policy: Policy,
        breaker: Breaker,
        *,
        metrics: Metrics,
        clock: Clock,
        random: Random,
    ) -> None:
        self._backend = backend
        self._policy = policy
        self._breaker = breaker
        self._metrics = metrics
        self._clock = clock
        self._random = random
        self._refusals: dict[str, int] = {}
        """By key, of batches that are not decided: one a lane, and those whose lane was ended."""

    async def send(self, request: Request) -> Outcome:
        """One round: wait for the circuit breaker, then try until it is decided or time is up.

        A request of the same key is the same batch, in its next round.
        """
        async with self._breaker.turn():
            started_s = self._clock.monotonic_s()
            self._metrics.batch_size.observe(request.count)
            try:
                outcome = await self._round(request, started_s + self._policy.total_s)
            finally:
                self._metrics.flush_duration.observe(self._clock.monotonic_s() - started_s)
        if isinstance(outcome, Delivered):
            self._metrics.exported.inc(request.count)
        else:
            self._metrics.failed.inc()
        return outcome

    def pause_s(self, round_number: int, outcome: Rejected | Unavailable) -> float:
        """Seconds to wait after a round that did not deliver.

        Args:
            round_number: Of the rounds of this batch, 1-based.
            outcome: What the round came to.
        """
        backoff = replace(self._policy.backoff, first_s=max(self._policy.backoff.first_s, 0.1))
        delay_s = backoff.delay_s(self._policy.tries + round_number - 1, self._random)
        asked_s = outcome.retry_after_s if isinstance(outcome, Unavailable) else None
        return max(delay_s, min(asked_s or 0.0, LONGEST_RETRY_AFTER_S))

    async def _round(self, request: Request, until_s: float) -> Outcome:
        refusals = self._refusals.pop(request.idempotency_key, 0)
        outcome = await self._tries(request, until_s, refusals)
        if isinstance(outcome, Unavailable) and outcome.refusals:
            self._refusals[request.idempotency_key] = outcome.refusals
        return outcome

    async def _tries(self, request: Request, until_s: float, refusals: int) -> Outcome:
        attempt = 0
        left_s = self._policy.total_s
        while True:
            attempt += 1
            verdict = await self._try(request, min(left_s, self._policy.try_s))
            refusals += isinstance(verdict.outcome, Rejected)
            if verdict.final or refusals >= self._policy.tries:
                return verdict.outcome
            ended = Unavailable(_reason(verdict.outcome), verdict.retry_after_s, refusals)
            if attempt >= self._policy.tries or not self._breaker.is_closed:
                return ended
            delay_s = self._policy.backoff.delay_s(attempt, self._random)
            delay_s = max(delay_s, verdict.retry_after_s or 0.0)
            if self._clock.monotonic_s() + delay_s >= until_s:
                return ended
            await self._clock.sleep(delay_s)
            left_s = until_s - self._clock.monotonic_s()
            if left_s <= 0:  # a sleep may take longer; without time left a call would not be cut
                return ended

    async def _try(self, request: Request, timeout_s: float) -> _Verdict:
        try:
            answer = await self._backend.post(request, timeout_s)
        except HttpError as error:
            if isinstance(error, HttpTimeoutError):
                self._metrics.timeout.labels("export").inc()
            return self._away(str(error), None)
        except TokenError as error:
            return self._no_token(error)
        return self._judged(answer)

    def _no_token(self, error: TokenError) -> _Verdict:
        """Not the backend's failure, so the circuit breaker is not told."""
        if isinstance(error.__cause__, HttpTimeoutError | TimeoutError):
            self._metrics.timeout.labels("token").inc()
        else:
            self._metrics.token_failed.inc()
        asked_s = error.retry_after_s if isinstance(error, TokenUnavailableError) else None
        return _Verdict(Unavailable(str(error)), retry_after_s=asked_s)

    def _judged(self, answer: Answer) -> _Verdict:
        status = answer.status
        asked_s = retry_after_s(answer.headers, self._clock.now_ms())
        if 200 <= status < 300:  # noqa: PLR2004 - the class of a status
            if _WEB_PAGE.match(answer.body):
                return self._away(
                    f"a web page was answered with status {status}, as a login page or a proxy "
                    "does; check the URL",
                    asked_s,
                )
            self._breaker.succeeded()
            return _Verdict(Delivered(), final=True)
        if status in _AWAY or status in self._policy.later:
            return self._away(f"the backend answers {status} for now", asked_s)
        if status < 400:  # noqa: PLR2004 - the class of a status
            return self._away(f"the backend answers {status}; check the URL", asked_s)
        self._breaker.succeeded()
        rejected = Rejected(status, f"the backend answers {status}", _plain(answer.headers))
        if status == _UNAUTHORIZED and answer.token is not None:
            self._metrics.unauthorized.inc()
            self._backend.drop(answer.token)
            return _Verdict(rejected, retry_after_s=asked_s)
        is_final = status < 500  # noqa: PLR2004 - the class of a status
        return _Verdict(rejected, is_final, asked_s)

    def _away(self, reason: str, asked_s: float | None) -> _Verdict:
        self._breaker.failed(asked_s)
        return _Verdict(Unavailable(reason), retry_after_s=asked_s)


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as JSON takes them.

    aiohttp's names are a subclass of text, and bytes that are no UTF-8 stand as halves of surrogate
    pairs in its values.
    """
    return {
        name[:]: value.encode(errors="surrogateescape").decode(errors="replace")
        for name, value in headers.items()
    }


def _reason(outcome: Outcome) -> str:
    return "" if isinstance(outcome, Delivered) else outcome.reason
