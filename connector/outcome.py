"""How a job ends: its answer or its error, turned into the one command that ends it.

The order and the numbers follow upstream's runtime: the result expression first, then the error
expression, which has the last word; the retries as the error's type decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from connector.error_expression import BpmnError, IgnoreError, JobError, judge
from connector.errors import ConnectorError, ErrorExpressionInvalid, ResultInvalid, RetryError
from connector.evaluation import explained
from connector.expression_context import (
    MAX_MESSAGE_CHARS,
    after_failure,
    after_success,
    describe,
)
from connector.headers import TaskHeaders
from connector.java_text import java_text
from connector.redaction import Redaction
from connector.result import Answer, encode, output
from worker.job import Job
from worker.outcome import Complete, Fail, Outcome, ThrowError


@dataclass(frozen=True, slots=True)
class Ending:
    """What it takes to end one job: the job, its headers, and what must not be shown."""

    job: Job
    headers: TaskHeaders
    redaction: Redaction
    upstream_response: bool = False

    def succeeded(self, answer: Answer) -> Outcome:
        """The command for a job that got its answer.

        Raises:
            ConnectorError: when the result or the error expression fails; give it to `failed`.
        """
        result = output(answer, self.headers)
        encoded = result.to_json()
        if self.headers.error_expression is None:
            return Complete(encoded)
        context = after_success(result, self.job, upstream_response=self.upstream_response)
        return self._judged(self.headers.error_expression, context) or Complete(encoded)

    def failed(self, error: ConnectorError) -> Outcome:
        """The command for a job that went wrong; its error expression may turn it around."""
        described = describe(error, self.redaction)
        expression = self.headers.error_expression
        if expression is None or isinstance(error, ErrorExpressionInvalid):
            return self._fail(error, described)
        try:
            context = after_failure(described, self.job)
            judged = self._judged(expression, context)
            hint = "" if judged else explained(expression, context, misspelt=True)
            return judged or self._fail(error, described, self.redaction.text(hint))
        except ErrorExpressionInvalid as broken:
            both = f"{broken.message} | The error before it: {error.message}"
            invalid = ErrorExpressionInvalid(both)
            return self._fail(invalid, describe(invalid, self.redaction))

    def _judged(self, expression: str, context: Mapping[str, object]) -> Outcome | None:
        """The command that the error expression decides on; None when it decides nothing."""
        verdict = judge(expression, context)
        try:
            return None if verdict is None else self._command(verdict)
        except ResultInvalid as error:
            raise ErrorExpressionInvalid(error.message) from error

    def _fail(self, error: ConnectorError, described: Mapping[str, object], hint: str = "") -> Fail:
        """The failed job; `hint` says why its error expression may have decided nothing."""
        variables = {"error": described}
        message = str(described["message"])
        if hint:
            message += f" | The error expression came to nothing: {hint}"
        # Type and message alone would only repeat the message.
        if error.code is not None or error.variables is not None:
            message = _with_variables(message, variables)
        return Fail(
            retries=self._retries(error),
            message=message[:MAX_MESSAGE_CHARS],
            backoff_ms=self._backoff_ms(error),
            variables_json=_encode_failure(described),
        )

    def _retries(self, error: ConnectorError) -> int:
        if isinstance(error, RetryError) and error.retries is not None:
            return max(error.retries, 0)
        return max(self.job.retries - 1, 0) if error.uses_retry else 0

    def _backoff_ms(self, error: ConnectorError) -> int:
        """What the error says; else the longer of what the task and the peer ask for."""
        if isinstance(error, RetryError) and error.backoff_ms is not None:
            return error.backoff_ms
        asked_ms = round((error.retry_after_s or 0) * 1000)
        return max(self.headers.retry_backoff_ms or 0, asked_ms)

    def _command(self, verdict: BpmnError | JobError | IgnoreError) -> Outcome:
        text, value = self.redaction.text, self.redaction.value
        variables = {text(key): value(item) for key, item in verdict.variables.items()}
        match verdict:
            case BpmnError():
                message = self.redaction.text(verdict.message or "")[:MAX_MESSAGE_CHARS]
                return ThrowError(self.redaction.text(verdict.code), message, encode(variables))
            case JobError():
                message = self.redaction.text(verdict.message)[:MAX_MESSAGE_CHARS]
                variables["error"] = message
                shown = _with_variables(message, variables)
                return Fail(verdict.retries, shown, verdict.backoff_ms, encode(variables))
            case IgnoreError():
                return Complete(encode(variables))
            case _:
                assert_never(verdict)


def _encode_failure(described: Mapping[str, object]) -> bytes:
    """The failed job's variables; what the API sent is left out when a process cannot hold it."""
    try:
        return encode({"error": described})
    except ResultInvalid:
        return encode({"error": {**described, "variables": None}})


def _with_variables(message: str, variables: Mapping[str, object]) -> str:
    """A message with the failed job's variables behind it, as upstream's incidents show them."""
    return f"{message} | Error variables: {java_text(variables)}"[:MAX_MESSAGE_CHARS]
