from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache

from connector.observation import RecentFailure
from connector.workers import Ground
from runtime.oauth import TokenCache, TokenState
from runtime.settings import redacted
from runtime.status import Section, Value
from worker.loop import Worker

Mask = Callable[[str], str]


def problem(running: Mapping[str, Worker]) -> str | None:
    """Why no jobs come just now; None while the gateway answers every worker."""
    return next((worker.problem for worker in running.values() if worker.problem), None)


def sections(
    ground: Ground, running: Mapping[str, Worker], tokens: TokenCache
) -> Sequence[Section]:
    """What the status page shows: never an input, an answer or a secret."""
    settings = ground.settings
    # The same few addresses and audiences come again in each row.
    masked = cache(ground.known_secrets.redaction().text)
    return (
        Section(
            "gateway",
            "Gateway",
            facts={"address": settings.address, "problem": problem(running) or "none"},
        ),
        Section(
            "jobs",
            "Jobs",
            columns=("type", "in hand", "at most"),
            rows=[
                (job_type, worker.jobs_in_hand, settings.max_jobs_active)
                for job_type, worker in running.items()
            ],
        ),
        Section(
            "failures",
            "Last failed jobs",
            columns=("time", "job", "instance", "process", "element", "code", "reason"),
            rows=[_failure_row(failure) for failure in ground.witness.failures],
        ),
        Section(
            "tokens",
            "Access tokens",
            columns=("endpoint", "audience", "seconds left", "problem"),
            rows=[_token_row(state, masked) for state in tokens.states()],
        ),
        Section("settings", "Settings that are not empty", facts=_given(redacted(settings))),
    )


def _failure_row(failure: RecentFailure) -> tuple[str, ...]:
    at = datetime.fromtimestamp(failure.at_ms / 1000, UTC).isoformat(timespec="seconds")
    # A key as text: browsers' JSON rounds numbers above 2^53.
    keys = (str(failure.job_key), str(failure.instance_key))
    code = failure.code or failure.error
    return (at, *keys, failure.process, failure.element, code, failure.reason or "")


def _token_row(state: TokenState, masked: Mask) -> tuple[str | float | None, ...]:
    """A row in which nothing shows that a job had as a secret, be it only an address."""
    left_s = None if state.expires_in_s is None else round(state.expires_in_s)
    audience = masked(state.audience or "")
    return (masked(state.origin), audience or None, left_s, masked(state.error or "") or None)


def _given(settings: Mapping[str, str | None]) -> dict[str, Value]:
    return {name: value for name, value in settings.items() if value}
