"""How a job ends, row by row of upstream's two tables: the retries, and the error expression."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from connector.errors import (
    CallError,
    ErrorExpressionInvalid,
    Fault,
    HeaderInvalid,
    InputError,
    RetryError,
    SecretsUnavailable,
)
from connector.headers import TaskHeaders, read_headers
from connector.outcome import Ending
from connector.pipeline import Pipeline
from connector.redaction import Redaction
from connector.secrets import SecretStore
from runtime.clock import SystemClock
from tests.kit.jobs import job
from worker.outcome import Complete, Fail, ThrowError


class Given:
    """An answer as the REST connector gives one."""

    def __init__(self, given):
        self._given = given

    def value(self):
        return self._given

    encodable = value


ANSWER = Given({"status": 200, "headers": {}, "body": {"n": 1}, "reason": "OK"})
NOT_FOUND = CallError("Not Found", code="404", variables={"response": {"body": {"n": 2}}})


def ending(retries=3, **headers):
    """What ends a job with these headers."""
    given = read_headers(orjson.dumps(headers).decode())
    return Ending(job(headers=headers, retries=retries), given, Redaction())


@pytest.mark.parametrize(
    ("error", "retries", "backoff_ms"),
    [
        (CallError("a"), 2, 7000),
        (CallError("a", code="X", variables={}), 2, 7000),
        (InputError([Fault("a", "b")]), 0, 7000),
        (HeaderInvalid("a"), 0, 7000),
        (RetryError("a", retries=5, backoff_ms=100), 5, 100),
        (RetryError("a", retries=0), 0, 7000),
        (RetryError("a", retries=-4), 0, 7000),
        (RetryError("a"), 2, 7000),
        (ErrorExpressionInvalid("a"), 0, 7000),
        (SecretsUnavailable("a"), 2, 7000),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_error_leaves_the_retries_that_its_type_says(error, retries, backoff_ms):
    """Each row of the table of retries, with the task's back-off unless the error has its own."""
    outcome = ending(retryBackoff="PT7S").failed(error)
    assert (outcome.retries, outcome.backoff_ms) == (retries, backoff_ms)


@pytest.mark.parametrize("retries", [1, 0])
def test_retries_do_not_go_below_none(retries):
    """A last try, and one that should not have been, leave none."""
    assert ending(retries=retries).failed(CallError("a")).retries == 0


def test_a_failed_job_carries_the_error_object():
    """`error` has type, message, code and variables, and the incident shows them behind it."""
    outcome = ending().failed(NOT_FOUND)
    assert orjson.loads(outcome.variables_json) == {
        "error": {
            "type": "io.camunda.connector.api.error.ConnectorException",
            "message": "Not Found",
            "code": "404",
            "variables": {"response": {"body": {"n": 2}}},
        }
    }
    assert outcome.message == (
        "Not Found | Error variables: {error={type=io.camunda.connector.api.error."
        "ConnectorException, message=Not Found, code=404, variables={response={body={n=2}}}}}"
    )


def test_an_error_of_the_inputs_has_neither_code_nor_variables():
    """Upstream's input exception is no connector exception."""
    described = orjson.loads(ending().failed(InputError([Fault("a", "b")])).variables_json)["error"]
    assert described.keys() == {"type", "message"}
    assert described["type"] == "io.camunda.connector.api.error.ConnectorInputException"


@pytest.mark.parametrize("length", [5999, 6000, 6001, 100_000])
def test_a_message_has_at_most_6000_characters(length):
    """Whatever made it: an error, a job error or a BPMN error."""
    text = "x" * length
    kept = min(length, 6000)
    assert len(ending().failed(CallError(text)).message) == kept
    for function in ("jobError", "bpmnError"):
        code = '"C", ' if function == "bpmnError" else ""
        outcome = ending(errorExpression=f"={function}({code}error.message)").failed(
            CallError(text)
        )
        assert len(outcome.message) <= 6000
        assert outcome.message.startswith("x" * min(kept, 5900))


def ended(expression, failed):
    """How a job ends whose error expression is this, after a success or a failure."""
    how = ending(resultVariable="got", errorExpression=expression)
    if failed:
        return how.failed(NOT_FOUND)
    try:
        return how.succeeded(ANSWER)
    except ErrorExpressionInvalid as error:
        return how.failed(error)


@pytest.mark.parametrize("failed", [False, True], ids=["success", "failure"])
@pytest.mark.parametrize(
    "expression",
    [
        "=null",
        "={}",
        "=missing",
        "=unknown(1)",
        "=bpmnError()",
        '={errorType: "bpmnError"}',
        "=jobError()",
    ],
)
def test_nothing_decided_leaves_the_job_its_own_end(expression, failed):
    """Null, an empty object, an unknown function, a wrong arity or an error without a code."""
    outcome = ended(expression, failed)
    assert isinstance(outcome, Fail if failed else Complete)
    if failed:
        assert outcome.retries == 2
        assert outcome.message.startswith("Not Found")
    else:
        assert orjson.loads(outcome.variables_json)["got"]["status"] == 200


@pytest.mark.parametrize("failed", [False, True], ids=["success", "failure"])
@pytest.mark.parametrize(
    ("expression", "code", "message", "variables"),
    [
        ('=bpmnError("C")', "C", "", {}),
        ('=bpmnError("C", "m")', "C", "m", {}),
        ('=bpmnError("C", "m", {a: 1})', "C", "m", {"a": 1}),
        ('=bpmnError(errorCode: "C", errorMessage: "m", variables: {a: 1})', "C", "m", {"a": 1}),
        ('={errorType: "bpmnError", errorCode: "C", variables: {a: 1}}', "C", "", {"a": 1}),
    ],
)
def test_a_bpmn_error_is_thrown(expression, code, message, variables, failed):
    """By the function, by names, or as the object that the function makes."""
    outcome = ended(expression, failed)
    assert isinstance(outcome, ThrowError)
    assert (outcome.code, outcome.message) == (code, message)
    assert orjson.loads(outcome.variables_json) == variables


@pytest.mark.parametrize("failed", [False, True], ids=["success", "failure"])
@pytest.mark.parametrize(
    ("expression", "retries", "backoff_ms", "variables"),
    [
        ('=jobError("m")', 0, 0, {}),
        ('=jobError("m", {a: 1, error: "mine"})', 0, 0, {"a": 1}),
        ('=jobError("m", {}, job.retries - 1)', 2, 0, {}),
        ('=jobError("m", {}, 1, @"PT30S")', 1, 30_000, {}),
        ('=jobError("m", {}, 99999999999)', 2**31 - 1, 0, {}),
        ('=jobError(errorMessage: "m", retryBackoff: @"PT1M", retries: 4)', 4, 60_000, {}),
        ('={errorType: "jobError", errorMessage: "m", retries: 2}', 2, 0, {}),
    ],
)
def test_a_job_error_says_how_to_go_on(expression, retries, backoff_ms, variables, failed):
    """Its numbers are taken as they are, nothing is counted down, `error` is its message."""
    outcome = ended(expression, failed)
    assert isinstance(outcome, Fail)
    assert (outcome.retries, outcome.backoff_ms) == (retries, backoff_ms)
    assert outcome.message.split(" | ")[0] == "m"
    assert orjson.loads(outcome.variables_json) == {**variables, "error": "m"}


@pytest.mark.parametrize("failed", [False, True], ids=["success", "failure"])
@pytest.mark.parametrize(
    ("expression", "variables"),
    [
        ("=ignoreError()", {}),
        ("=ignoreError({a: 1})", {"a": 1}),
        ('={errorType: "ignoreError", variables: {a: 1}}', {"a": 1}),
    ],
)
def test_an_ignored_error_completes_the_job(expression, variables, failed):
    """With those variables and no others, result variables included."""
    outcome = ended(expression, failed)
    assert isinstance(outcome, Complete)
    assert orjson.loads(outcome.variables_json) == variables


@pytest.mark.parametrize("failed", [False, True], ids=["success", "failure"])
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("={a: 1}", "Cannot parse '{\"a\":1}' as a connector error"),
        ('={errorType: "other"}', "as a connector error"),
        ('="text"', "must return a JSON object, but got string"),
        ("=1", "must return a JSON object, but got number"),
        ("=true", "must return a JSON object, but got boolean"),
        ("=[1]", "must return a JSON object, but got array"),
        ("={", "Failed to evaluate expression"),
        ("=bpmnError(1)", "Parameter 'errorCode' of function 'bpmnError' must be a String"),
        ('=bpmnError("C", 1)', "Parameter 'errorMessage' of function 'bpmnError' must be"),
        ('=bpmnError("C", "m", 1)', "Parameter 'variables' of function 'bpmnError' must be"),
        ('=jobError("m", {}, "x")', "Parameter 'retries' of function 'jobError' must be"),
        ('={errorType: "bpmnError", errorCode: "C", variables: 1}', "its variables are no context"),
        ('={errorType: "jobError", retryBackoff: "soon"}', "its retryBackoff is no duration"),
    ],
)
def test_an_error_expression_that_is_wrong_leaves_no_retries(expression, expected, failed):
    """Whatever is wrong with it, the job fails at once, and the message says what."""
    outcome = ended(expression, failed)
    assert isinstance(outcome, Fail)
    assert outcome.retries == 0
    assert expected in outcome.message
    if failed:
        assert "Not Found" in outcome.message


def test_a_result_expression_that_fails_can_be_caught():
    """The result comes first; what goes wrong with it is an error to the error expression."""
    how = ending(resultExpression="=[1]", errorExpression='=bpmnError("R", error.message)')
    with pytest.raises(InputError) as caught:
        how.succeeded(ANSWER)
    outcome = how.failed(caught.value)
    assert (outcome.code, "must return a JSON object" in outcome.message) == ("R", True)


def test_what_is_visible_after_a_failure():
    """`error`, the same under `response`, and the retries of the job."""
    expression = "=jobError(error.code + response.error.code + string(job.retries))"
    assert ended(expression, failed=True).message.startswith("4044043")


class Away(SecretStore):
    """A store that cannot say."""

    remedy = "Wait."

    async def fetch(self, names, job):
        raise SecretsUnavailable("The store is away.")


class Never:
    """A connector that must not be called."""

    def read(self, variables):
        raise AssertionError("called without its secrets")

    build = send = read


def test_secrets_that_cannot_be_fetched_use_a_retry():
    """The connector is not called; a later try may find the store again."""
    clock = SystemClock()
    pipeline = Pipeline(Never(), [Away()], None, clock=clock)
    handed = job({"a": "{{secrets.X}}"}, deadline_ms=clock.now_ms() + 60_000)
    outcome = asyncio.run(pipeline.handle(handed))
    assert (outcome.retries, outcome.message.split(" | ")[0]) == (2, "The store is away.")


def test_blank_headers_are_absent():
    """Blanks alone say nothing, but for the back-off, which upstream refuses when it is empty."""
    blank = {
        "resultVariable": " ",
        "resultExpression": "",
        "errorExpression": " ",
        "jobTimeout": "",
    }
    assert read_headers(orjson.dumps(blank).decode()) == TaskHeaders()
