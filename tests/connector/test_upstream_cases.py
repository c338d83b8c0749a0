"""Upstream's behaviour with results, errors and retries, case by case, through the pipeline."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import date, timedelta

import orjson
import pytest

import feel
from connector.errors import CallError, ConnectorError, Fault, InputError, RetryError
from connector.functions import connector_functions
from connector.pipeline import Pipeline, Upstream
from runtime.clock import SystemClock
from tests.kit.jobs import job
from tests.kit.upstream_cases import CASES, DIFFERENCES, group
from worker.errors import JobGone
from worker.outcome import Complete, Fail, ThrowError

LONG = {
    "<string of 1572865 characters>": "x" * 1_572_865,
    "<8400 characters>": "x" * 8400,
    "<date 2024-01-01>": date(2024, 1, 1),
    "I am not a map": {},
}


@dataclass
class Answer:
    """A scripted answer."""

    given: object

    def value(self):
        return self.given

    encodable = value


class Scripted:
    """A connector that answers or raises what its case says."""

    def __init__(self, given):
        self._given = given
        self.calls = 0

    def read(self, variables):
        return variables

    def build(self, inputs):
        return inputs

    async def send(self, request, time_left_s):
        self.calls += 1
        if isinstance(self._given, ConnectorError):
            raise self._given
        return Answer(self._given)


class Blind:
    """A witness that looks away."""

    def ended(self, *seen):
        pass


@dataclass
class Run:
    """One job through the pipeline."""

    outcome: object
    connector: Scripted
    extended_ms: list


def run(given, headers, *, retries=3, extend=None, upstream_response=False):
    """Put one job through a pipeline whose connector answers `given`."""
    connector = Scripted(given)
    extended_ms = []

    async def grant(asked, duration_ms):
        extended_ms.append(duration_ms)
        return await extend(asked, duration_ms) if extend else asked

    clock = SystemClock()
    upstream = Upstream(response=upstream_response)
    pipeline = Pipeline(connector, [], grant, Blind(), clock, upstream=upstream)
    handed = job(headers=headers, retries=retries, deadline_ms=clock.now_ms() + 60_000)
    return Run(asyncio.run(pipeline.handle(handed)), connector, extended_ms)


def of_kind(*kinds, having):
    """The cases of these kinds that have an input of that name, with readable ids."""
    chosen = [
        case
        for case in CASES
        if case["kind"] in kinds and having in case["input"] and case["id"] not in DIFFERENCES
    ]
    return pytest.mark.parametrize("case", chosen, ids=lambda case: f"case-{case['id']}")


def thrown(given):
    """The error that a case's connector raises."""
    match given:
        case {"class": "ConnectorException"}:
            return CallError(
                given["message"],
                code=given["code"],
                variables=given.get("variables"),
            )
        case "RuntimeException oops":
            return CallError("oops")
        case str() if "caused by ConnectorInputException" in given:
            return InputError([Fault("", "expected Connector Input Exception")])
        case "ConnectorRetryException('Test retry exception', no retries)":
            return RetryError("Test retry exception")
        case str():
            return RetryError("again", code="customErrorCode", retries=4, backoff_ms=10_000)


def in_full(value):
    """A case's value with its placeholders written out."""
    match value:
        case str():
            return LONG.get(value, value)
        case dict():
            return {key: in_full(item) for key, item in value.items()}
        case _:
            return value


def listed(value):
    """One text or several, as a list."""
    return [value] if isinstance(value, str) else value


def check(outcome, expected):
    """Compare an outcome with what a case expects of it."""
    match expected.get("outcome", "complete"):
        case "complete":
            assert isinstance(outcome, Complete)
        case "fail":
            assert isinstance(outcome, Fail)
        case "bpmnError":
            assert isinstance(outcome, ThrowError)
            assert outcome.code == expected["errorCode"]
            assert outcome.message == (expected.get("errorMessage") or outcome.message)
            assert len(outcome.message) <= expected.get("errorMessageMaxLength", 6000)
    if "variables" in expected:
        assert orjson.loads(outcome.variables_json) == expected["variables"]
    if "retries" in expected:
        assert outcome.retries == expected["retries"]
    if "errorMessagePrefix" in expected:
        prefix = expected["errorMessagePrefix"]
        assert outcome.message.startswith(prefix) or prefix in outcome.message
    for part in listed(expected.get("errorMessageContains", [])):
        assert part in outcome.message
    if expected.get("retryBackoff"):
        hours = {"PT1M": 60_000, "PT24H": 86_400_000, "PT10S": 10_000}
        assert outcome.backoff_ms == hours[expected["retryBackoff"]]


@of_kind("result", "error", "retry", having="response")
def test_an_answer_becomes_the_outcome_that_upstream_gives(case):
    """Result variable, result expression and error expression mean what they mean upstream."""
    given = case["input"]
    headers = {
        name: given[name]
        for name in ("resultVariable", "resultExpression", "errorExpression")
        if given.get(name) is not None
    }
    answer = thrown(given["thrown"]) if given.get("thrown") else in_full(given["response"])
    check(run(answer, headers, retries=given.get("job.retries", 3)).outcome, case["expected"])


@of_kind("error", "retry", having="thrown")
def test_an_error_becomes_the_outcome_that_upstream_gives(case):
    """What a connector raises uses up retries and fills variables as upstream."""
    given = case["input"]
    headers = {
        name: given[name]
        for name in ("errorExpression", "retryBackoff", "resultVariable", "resultExpression")
        if given.get(name) is not None
    }
    answer = thrown(given["thrown"]) if given["thrown"] else in_full(given["response"])
    check(run(answer, headers, retries=given.get("job.retries", 3)).outcome, case["expected"])


@of_kind("result", "error", "retry", having="expression")
def test_an_expression_gives_what_upstream_gives(case):
    """Expressions with the connectors' own functions give upstream's values."""
    expected, given = case["expected"], case["input"]
    expression, context = feel.compile(given["expression"]), in_full(given["context"])
    functions = connector_functions(lambda: 0.75)
    if "errorClass" in expected:
        with pytest.raises(feel.FunctionFailed, match=expected["messageContains"]):
            expression.evaluate(context, functions=functions)
        return
    value = expression.evaluate(context, functions=functions)
    if "durationBetweenMs" in expected:
        least_ms, most_ms = expected["durationBetweenMs"]
        assert least_ms <= value / timedelta(milliseconds=1) <= most_ms
        return
    plain = feel.to_json(value)
    if "value.variables" in expected:
        assert plain["variables"] == expected["value.variables"]
    else:
        assert plain == expected.get("value", expected.get("json"))


@group("job time and back-off")
def test_a_header_about_time_means_what_it_means_upstream(case):
    """A duration that cannot be read, or a job that is gone, ends the job before the call."""
    given, expected = case["input"], case["expected"]
    headers = {name: given[name] for name in ("retryBackoff", "jobTimeout") if given.get(name)}

    async def answer(asked, duration_ms):
        if given.get("updateFails"):
            raise JobGone("gone")
        # The answer took longer than the time that was asked for.
        return replace(asked, deadline_ms=asked.deadline_ms - 60_001)

    done = run({}, headers, extend=answer)
    assert isinstance(done.outcome, Complete if expected["outcome"] == "complete" else Fail)
    assert done.connector.calls == (1 if expected["outcome"] == "complete" else 0)
    if "retries" in expected:
        assert done.outcome.retries == expected["retries"]
        assert done.outcome.backoff_ms == 0
        assert done.extended_ms == []
    assert expected.get("errorMessageContains", "") in getattr(done.outcome, "message", "")


@group("job tried until it ends")
def test_a_job_is_tried_as_often_as_upstream_tries_it(case):
    """However the retries are counted down, the connector is called as often."""
    given = case["input"]
    headers = {name: given[name] for name in ("retryBackoff", "jobTimeout") if given.get(name)}
    retries = given.get("task.retries") or 3
    calls = tries = 0
    while retries > 0:
        tries += 1
        counting = RetryError("again", retries=5 - tries)
        fault = counting if "5 - invocation" in given.get("always", "") else CallError("oops")
        done = run(fault, headers, retries=retries)
        calls += done.connector.calls
        retries = done.outcome.retries
    assert calls == case["expected"]["invocations"]


def test_without_a_job_timeout_header_nothing_is_asked_of_the_gateway():
    """The time-out of the worker is enough unless a task asks for another."""
    done = run({}, {})
    assert isinstance(done.outcome, Complete)
    assert done.extended_ms == []


def test_a_job_timeout_is_asked_for_before_the_call():
    """A task that needs longer gets it before anything is called."""
    done = run({}, {"jobTimeout": "PT10M"})
    assert done.extended_ms == [600_000]
    assert done.connector.calls == 1


def test_upstreams_response_can_be_had_back():
    """With the setting, `response` after a success is the output variables alone."""
    case = next(case for case in CASES if case["id"] == 176)
    given = case["input"]
    headers = {name: given[name] for name in ("resultExpression", "errorExpression")}
    check(run(given["response"], headers, upstream_response=True).outcome, case["expected"])
    ours = run(given["response"], headers).outcome
    assert isinstance(ours, ThrowError)
    assert ours.code == "EMPTY"
