from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import orjson

import feel
from connector.errors import ExpressionBroken, ResultInvalid
from connector.evaluation import evaluate, explained, failed
from connector.headers import TaskHeaders
from connector.selection import pick, selection

MAX_OUTPUT_BYTES = 1_572_864
"""Upstream's limit for what one job may write into the process (1.5 MiB)."""
FORBIDDEN_KEY = "camunda.function.type"
"""A result with this key could make the engine run a function of its own."""
_SHOWN_CHARS = 200


class Answer(Protocol):
    """What a connector brings back: a JSON value, in a form for expressions and one for orjson."""

    def value(self) -> object:
        """The answer as a plain JSON value."""
        ...

    def encodable(self) -> object:
        """The same for `orjson.dumps`, which may hold fragments that were never parsed."""
        ...


@dataclass(frozen=True, slots=True)
class Output:
    """The variables that a job gives its process.

    `selected` is what the result expression gave; it wins over a result variable of its name.
    """

    answer: Answer
    result_variable: str | None
    selected: Mapping[str, object]

    @property
    def is_empty(self) -> bool:
        """Whether the task asked for nothing at all."""
        return self.result_variable is None and not self.selected

    def variables(self) -> dict[str, object]:
        """The variables as plain JSON values, for expressions that look inside."""
        whole = {self.result_variable: self.answer.value()} if self.result_variable else {}
        return {**whole, **self.selected}

    def to_json(self) -> bytes:
        """The variables as a JSON object, the answer's body copied as it came.

        Raises:
            ResultInvalid: when they are too large, or name one of the engine's functions.
        """
        whole = {self.result_variable: self.answer.encodable()} if self.result_variable else {}
        return encode({**whole, **self.selected})


def encode(variables: Mapping[str, object]) -> bytes:
    """Encode what goes into the process, within the limits that the engine sets.

    Raises:
        ResultInvalid: when it is too large, or names one of the engine's functions.
    """
    encoded = orjson.dumps(variables)
    if len(encoded) > MAX_OUTPUT_BYTES:
        raise ResultInvalid(
            f"The output variables of this job have {len(encoded)} bytes, more than the "
            f"{MAX_OUTPUT_BYTES} that a process takes. Create document references instead, or "
            f"select less in the result expression."
        )
    if _has_forbidden_key(encoded):
        raise ResultInvalid(
            f"The connector result contains a forbidden literal '{FORBIDDEN_KEY}'. "
            f"Leave that key out in the result expression."
        )
    return encoded


def _has_forbidden_key(encoded: bytes) -> bool:
    quoted = f'"{FORBIDDEN_KEY}"'.encode()
    # Looking for one byte takes a fiftieth of the time that looking for two does.
    if b"\\" in encoded and b"\\u" in encoded:
        # A body that is copied as it came may spell the key with escapes.
        encoded = orjson.dumps(orjson.loads(encoded))
    return quoted in encoded


def output(answer: Answer, headers: TaskHeaders) -> Output:
    """The output of an answer: the result variable, and the result expression over the answer.

    Raises:
        ExpressionBroken: when the result expression cannot be evaluated.
        ResultInvalid: when it gives anything but an object or null.
    """
    expression = headers.result_expression
    if expression is None:
        selected: Mapping[str, object] = {}
    else:
        with _translating(expression):
            # An error expression will look into the output, so there it must be parsed anyway.
            picked = _pick(expression, answer) if headers.error_expression is None else None
            selected = _evaluate(expression, answer) if picked is None else picked
    return Output(answer, headers.result_variable, selected)


@contextmanager
def _translating(expression: str) -> Iterator[None]:
    try:
        yield
    except feel.FeelError as error:
        raise ExpressionBroken(
            f"{failed(expression, error)}. Mend the result expression of this task."
        ) from error


def _pick(expression: str, answer: Answer) -> Mapping[str, object] | None:
    selected = selection(expression)
    return None if selected is None else pick(selected, answer.encodable())


def _evaluate(expression: str, answer: Answer) -> Mapping[str, object]:
    context = result_context(answer)
    result = evaluate(expression, context)
    if result is None:
        return {}
    if not isinstance(result, Mapping):
        value = orjson.dumps(result).decode()[:_SHOWN_CHARS]
        hint = explained(expression, context)
        raise ResultInvalid(
            f"Result expression must return a JSON object, but got {json_type(result)}. "
            f"Evaluated value: {value}{f'. Some of it is null: {hint}' if hint else ''}"
        )
    return result


def result_context(answer: Answer) -> Mapping[str, object]:
    """What a result expression sees: the answer as `response`, and the answer's keys beside it."""
    value = answer.value()
    # A response's own keys stand at the root too, but never hide the response itself.
    return {**value, "response": value} if isinstance(value, Mapping) else {"response": value}


def json_type(value: object) -> str:
    """The JSON name of a value's type."""
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"
