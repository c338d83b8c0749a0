"""What result and error expressions can call beside FEEL's own functions."""

from __future__ import annotations

import random as _random
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

from feel import Function, FunctionFailed, Value
from runtime.backoff import Random


def connector_functions(random: Random) -> Mapping[str, Function]:
    """The connectors' own functions by name; `random` is the chance in `backoff`."""

    def backoff(*arguments: Value) -> Value:
        return _backoff(random, *arguments)

    offered = (
        Function("bpmnError", ("errorCode", "errorMessage", "variables"), _bpmn_error, 1),
        Function(
            "jobError",
            ("errorMessage", "variables", "retries", "retryBackoff"),
            _job_error,
            1,
        ),
        Function("ignoreError", ("variables",), _ignore_error, 0),
        Function(
            "backoff",
            ("attempt", "minDelay", "factor", "maxDelay", "jitterFactor"),
            backoff,
            1,
        ),
        Function("createDocument", ("value",), _create_document, 1),
    )
    return MappingProxyType({function.name: function for function in offered})


def _bpmn_error(code: Value, message: Value, variables: Value) -> Value:
    error: dict[str, Value] = {
        "errorType": "bpmnError",
        "errorCode": _string("bpmnError", "errorCode", code),
    }
    if message is not None:
        error["errorMessage"] = _string("bpmnError", "errorMessage", message)
    if variables is not None:
        error["variables"] = _context("bpmnError", "variables", variables)
    return error


def _job_error(message: Value, variables: Value, retries: Value, backoff: Value) -> Value:
    if retries is not None and (isinstance(retries, bool) or not isinstance(retries, _NUMBER)):
        raise _wrong("jobError", "retries", "a Number")
    if backoff is not None and not isinstance(backoff, timedelta):
        raise _wrong("jobError", "retryBackoff", "a Duration")
    return {
        "errorType": "jobError",
        "errorMessage": _string("jobError", "errorMessage", message),
        "variables": {} if variables is None else _context("jobError", "variables", variables),
        "retries": 0 if retries is None else int(retries),
        "retryBackoff": "PT0S" if backoff is None else backoff,
    }


def _ignore_error(variables: Value) -> Value:
    if variables is None:
        return {"errorType": "ignoreError"}
    return {
        "errorType": "ignoreError",
        "variables": _context("ignoreError", "variables", variables),
    }


def _backoff(  # noqa: PLR0917  # the engine gives arguments by place
    random: Random,
    attempt: Value,
    min_delay: Value,
    factor: Value,
    max_delay: Value,
    jitter: Value,
) -> Value:
    """Exponential waiting time with jitter: upstream's formula and defaults."""
    tries = _number("attempt", attempt)
    least_s = _seconds("minDelay", min_delay, 0.05)
    growth = 1.6 if factor is None else _number("factor", factor)
    most_s = _seconds("maxDelay", max_delay, 5.0)
    spread = 0.1 if jitter is None else _number("jitterFactor", jitter)
    if tries < 1:
        raise FunctionFailed("backoff: attempt must be at least 1")
    if growth <= 0:
        raise FunctionFailed("backoff: factor must be above 0")
    if least_s > most_s:
        raise FunctionFailed("backoff: minDelay must not be longer than maxDelay")
    if spread < 0:
        raise FunctionFailed("backoff: jitterFactor must not be negative")
    delay_s = min(max(_grown_s(least_s, growth, tries), least_s), most_s)
    jittered_s = delay_s + delay_s * spread * (2 * random() - 1)
    return timedelta(milliseconds=max(round(jittered_s * 1000), 0))


def _grown_s(least_s: float, growth: float, tries: float) -> float:
    try:
        return float(least_s * growth ** (tries - 1))
    except OverflowError:
        return float("inf")


def _create_document(_value: Value) -> Value:
    raise FunctionFailed(
        "createDocument: this connector has no document store; select what the process needs "
        "in the result expression instead"
    )


_NUMBER = (int, float, Decimal)


def _string(function: str, parameter: str, value: Value) -> str:
    if not isinstance(value, str):
        raise _wrong(function, parameter, "a String")
    return value


def _context(function: str, parameter: str, value: Value) -> Mapping[str, Value]:
    if not isinstance(value, Mapping):
        raise _wrong(function, parameter, "a Context")
    return value


def _number(parameter: str, value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, _NUMBER):
        raise _wrong("backoff", parameter, "a Number")
    return float(value)


def _seconds(parameter: str, value: Value, default_s: float) -> float:
    if value is None:
        return default_s
    if not isinstance(value, timedelta):
        raise _wrong("backoff", parameter, "a Duration")
    return value.total_seconds()


def _wrong(function: str, parameter: str, wanted: str) -> FunctionFailed:
    return FunctionFailed(f"Parameter '{parameter}' of function '{function}' must be {wanted}")


FUNCTIONS = connector_functions(_random.random)
"""The functions as expressions find them."""
