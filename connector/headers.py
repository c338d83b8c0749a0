from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from connector.durations import duration_ms
from connector.errors import HeaderInvalid
from connector.evaluation import shown

_NAMES = {
    "resultVariable",
    "resultExpression",
    "errorExpression",
    "retryBackoff",
    "jobTimeout",
    "elementTemplateId",
    "elementTemplateVersion",
}


@dataclass(frozen=True, slots=True)
class TaskHeaders:
    """What the task's headers say about its result, its errors and its time.

    Blank headers count as absent, except `retryBackoff`: upstream refuses it when it is empty.
    """

    result_variable: str | None = None
    result_expression: str | None = None
    error_expression: str | None = None
    retry_backoff_ms: int | None = None
    job_timeout_ms: int | None = None
    template_id: str | None = None
    template_version: str | None = None


def read_headers(custom_headers_json: str) -> TaskHeaders:
    """Read a job's custom headers, a JSON object of texts.

    Raises:
        HeaderInvalid: when a duration cannot be read, or the headers are no object of texts; the
            connector must not be called then.
    """
    headers = _object(custom_headers_json)
    return TaskHeaders(
        result_variable=_text(headers.get("resultVariable")),
        result_expression=_text(headers.get("resultExpression")),
        error_expression=_text(headers.get("errorExpression")),
        retry_backoff_ms=_retry_backoff_ms(headers.get("retryBackoff")),
        job_timeout_ms=_job_timeout_ms(headers.get("jobTimeout")),
        template_id=_text(headers.get("elementTemplateId")),
        template_version=_text(headers.get("elementTemplateVersion")),
    )


def _object(text: str) -> Mapping[str, str]:
    try:
        headers = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        headers = None
    if not isinstance(headers, dict):
        raise HeaderInvalid("The headers of this task are no JSON object. Deploy the process anew.")
    for name, value in headers.items():
        if name in _NAMES and not isinstance(value, str | None):
            raise HeaderInvalid(f"The task header {name} is no text. Write it as one.")
    return headers


def _text(value: str | None) -> str | None:
    return (value and value.strip()) or None


def _retry_backoff_ms(value: str | None) -> int | None:
    if value is None:
        return None
    backoff_ms = duration_ms(value)
    if backoff_ms is None:
        raise HeaderInvalid(
            f"Failed to parse retry backoff header. Expected ISO-8601 duration, e.g. PT5M, "
            f"got: {shown(value)}"
        )
    return backoff_ms


def _job_timeout_ms(value: str | None) -> int | None:
    if value is None or not value.strip():
        return None
    timeout_ms = duration_ms(value)
    if timeout_ms is None:
        raise HeaderInvalid(
            f"Failed to parse job timeout header. Expected ISO-8601 duration, e.g. PT5M, "
            f"got: {shown(value)}"
        )
    if timeout_ms <= 0:
        raise HeaderInvalid(
            f"The job timeout header must be a positive duration, got: {shown(value)}"
        )
    return timeout_ms
