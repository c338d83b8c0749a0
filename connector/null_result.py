from __future__ import annotations

import orjson

from connector.evaluation import explained
from connector.headers import TaskHeaders
from connector.result import Answer, result_context
from worker.outcome import Complete, Outcome

_MOST_BYTES = 500
"""A result of nothing but nulls is short; longer ones are not looked at."""


def why_nothing(outcome: Outcome, headers: TaskHeaders, answer: Answer) -> str:
    """Why a job's result expression gave its process nothing but nulls; empty when it did not.

    That is no error, to upstream and so to us, but it is seldom meant: names and types, no value.
    """
    expression = headers.result_expression
    if expression is None or not isinstance(outcome, Complete):
        return ""
    encoded = outcome.variables_json
    if len(encoded) > _MOST_BYTES or any(
        value is not None for value in orjson.loads(encoded).values()
    ):
        return ""
    return explained(expression, result_context(answer))
