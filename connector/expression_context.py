"""What an error expression can see, after a success and after a failure."""

from __future__ import annotations

from collections.abc import Mapping

from connector.errors import ConnectorError
from connector.redaction import Redaction
from connector.result import Output
from worker.job import Job

MAX_MESSAGE_CHARS = 6000
"""Upstream's limit for the message of an incident or a BPMN error."""


def after_success(output: Output, job: Job, *, upstream_response: bool) -> dict[str, object]:
    """The context after a success: `response`, its keys at the root, and `job`.

    Upstream's documentation promises the answer and the output variables under `response`; its
    code gives the output variables alone once there are any. Here both are there, the output
    variables first; `upstream_response` restores upstream's way.
    """
    answer = output.answer.value()
    if output.is_empty:
        return _context(answer, job)
    variables = output.variables()
    if upstream_response or not isinstance(answer, Mapping):
        return _context(variables, job)
    return _context({**answer, **variables}, job)


def after_failure(described: Mapping[str, object], job: Job) -> dict[str, object]:
    """The context after a failure: `error`, the same under `response`, and `job`."""
    return _context({"error": described}, job)


def describe(error: ConnectorError, redaction: Redaction) -> dict[str, object]:
    """The `error` object of expressions and of a failed job's variables, secrets masked."""
    described: dict[str, object] = {
        "type": error.upstream_type,
        "message": redaction.text(error.message)[:MAX_MESSAGE_CHARS],
    }
    if error.code is not None:
        described["code"] = error.code
    if error.variables is not None:
        described["variables"] = redaction.value(error.variables)
    return described


def _context(response: object, job: Job) -> dict[str, object]:
    root = response if isinstance(response, Mapping) else {}
    return {**root, "response": response, "job": {"retries": job.retries}}
