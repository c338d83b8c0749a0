from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from connector.observation import JobWitness, RecentFailure
from connector.settings import ConnectorSettings
from runtime.oauth import TokenCache, TokenState
from runtime.settings import redacted
from runtime.status import Section, Value
from worker.loop import Worker


def sections(
    settings: ConnectorSettings,
    worker: Worker,
    witness: JobWitness,
    tokens: TokenCache,
) -> Sequence[Section]:
    """What the status page shows: never an input, an answer or a secret."""
    return (
        Section(
            "gateway",
            "Gateway",
            facts={"address": settings.address, "problem": worker.problem or "none"},
        ),
        Section(
            "jobs",
            "Jobs",
            facts={
                "type": settings.job_type,
                "in hand": worker.jobs_in_hand,
                "at most": settings.max_jobs_active,
            },
        ),
        Section(
            "failures",
            "Last failed jobs",
            columns=("time", "job", "process", "element", "error", "code"),
            rows=[_failure_row(failure) for failure in witness.failures],
        ),
        Section(
            "tokens",
            "Access tokens",
            columns=("endpoint", "audience", "seconds left", "problem"),
            rows=[_token_row(state) for state in tokens.states()],
        ),
        Section("settings", "Settings that are not empty", facts=_given(redacted(settings))),
    )


def _failure_row(failure: RecentFailure) -> tuple[str, ...]:
    at = datetime.fromtimestamp(failure.at_ms / 1000, UTC).isoformat(timespec="seconds")
    # A key as text: browsers' JSON rounds numbers above 2^53.
    key = str(failure.job_key)
    return (at, key, failure.process, failure.element, failure.error, failure.code or "")


def _token_row(state: TokenState) -> tuple[str | float | None, ...]:
    left_s = None if state.expires_in_s is None else round(state.expires_in_s)
    return (state.origin, state.audience, left_s, state.error)


def _given(settings: Mapping[str, str | None]) -> dict[str, Value]:
    return {name: value for name, value in settings.items() if value}
