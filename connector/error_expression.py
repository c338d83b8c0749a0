from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

import feel
from connector.durations import duration_ms
from connector.errors import ErrorExpressionInvalid
from connector.evaluation import evaluate, explained, failed
from connector.numbers import whole_number
from connector.result import json_type

_SHOWN_CHARS = 2000
_MOST_RETRIES = 2**31 - 1
"""The gateway's protocol has no room for more."""


@dataclass(frozen=True, slots=True)
class BpmnError:
    """The process goes on at an error event with this code."""

    code: str
    message: str | None = None
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobError:
    """The job fails with exactly these retries; nothing is counted down."""

    message: str
    variables: Mapping[str, object] = field(default_factory=dict)
    retries: int = 0
    backoff_ms: int = 0


@dataclass(frozen=True, slots=True)
class IgnoreError:
    """The job completes with these variables and no others."""

    variables: Mapping[str, object] = field(default_factory=dict)


Verdict = BpmnError | JobError | IgnoreError | None
"""What an error expression decided; None leaves the job's own end as it is."""


def judge(expression: str, context: Mapping[str, object]) -> Verdict:
    """Evaluate an error expression, which has the last word on every job, done or failed.

    Raises:
        ErrorExpressionInvalid: when it cannot be evaluated, or gives no error object.
    """
    try:
        value = evaluate(expression, context)
    except feel.FeelError as error:
        raise ErrorExpressionInvalid(failed(expression, error)) from error
    if value is None or value == {}:
        return None
    if not isinstance(value, Mapping):
        hint = explained(expression, context)
        raise ErrorExpressionInvalid(
            f"Error expression must return a JSON object, but got {json_type(value)}. "
            f"Evaluated value: {_shown(value)}{f'. Some of it is null: {hint}' if hint else ''}"
        )
    return _verdict(value)


def _verdict(value: Mapping[str, object]) -> Verdict:
    match value.get("errorType"):
        case "bpmnError":
            code, message = value.get("errorCode"), value.get("errorMessage")
            if code is None:
                return None
            return BpmnError(
                str(code), None if message is None else str(message), _variables(value)
            )
        case "jobError":
            return JobError(
                str(value.get("errorMessage") or ""),
                _variables(value),
                min(max(whole_number(value.get("retries")) or 0, 0), _MOST_RETRIES),
                _backoff_ms(value),
            )
        case "ignoreError":
            return IgnoreError(_variables(value))
        case _:
            raise ErrorExpressionInvalid(
                f"Cannot parse '{_shown(value)}' as a connector error. "
                f"Use bpmnError, jobError or ignoreError, or return null."
            )


def _variables(value: Mapping[str, object]) -> Mapping[str, object]:
    variables = value.get("variables")
    if variables is None:
        return {}
    if not isinstance(variables, Mapping):
        raise ErrorExpressionInvalid(
            f"Cannot parse '{_shown(value)}' as a connector error: its variables are no context."
        )
    return variables


def _backoff_ms(value: Mapping[str, object]) -> int:
    written = value.get("retryBackoff")
    backoff_ms = 0 if written is None else duration_ms(written)
    if backoff_ms is None:
        raise ErrorExpressionInvalid(
            f"Cannot parse '{_shown(value)}' as a connector error: its retryBackoff is no duration "
            f'such as @"PT30S".'
        )
    return max(backoff_ms, 0)


def _shown(value: object) -> str:
    return orjson.dumps(value).decode()[:_SHOWN_CHARS]
