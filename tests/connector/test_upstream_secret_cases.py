"""Upstream's secrets, case by case: its own way in full, and ours wherever it is no other."""

import asyncio
from dataclasses import replace

import orjson
import pytest
from pydantic import SecretStr

from connector.errors import CallError, Fault, InputError, SecretsMissing
from connector.headers import TaskHeaders
from connector.outcome import Ending
from connector.pipeline import Pipeline, Upstream
from connector.redaction import Redaction
from connector.secrets import EnvironmentSecrets, resolve
from connector.upstream_secrets import resolve_text
from runtime.clock import SystemClock
from tests.kit.jobs import job
from tests.kit.upstream_cases import group


def sources(given):
    """A source with a case's secrets."""
    return [EnvironmentSecrets({f"S_{name}": value for name, value in given.items()}, "S_")]


def ours(text, given):
    """A text filled in as we do it."""
    return asyncio.run(resolve({"text": text}, sources(given), job()))


def upstreams(text, given):
    """A text filled in as upstream does it."""
    return asyncio.run(resolve_text(text, sources(given), job()))


@group("secret detected")
@pytest.mark.parametrize("fill", [ours, upstreams])
def test_a_reference_is_known_as_such(case, fill):
    """The same texts are references, with the same names, either way."""
    text, name = case["input"]["text"], case["expected"]["looked_up"]
    if name is None:
        assert fill(text, {}).secrets == ()
        return
    with pytest.raises(SecretsMissing) as caught:
        fill(text, {})
    assert caught.value.names == (name,)


@group("secret replaced", with_differences=True)
def test_upstreams_way_gives_upstreams_text(case):
    """With CONNECTOR_UPSTREAM_SECRETS the variables become what upstream makes of them."""
    assert (
        upstreams(case["input"]["text"], case["input"]["secrets"]).text
        == (case["expected"]["text"])
    )


@group("secret replaced")
def test_our_way_gives_the_same_values(case):
    """Where the two ways are not meant to differ, the inputs come out the same."""
    given = case["input"]
    variables = orjson.loads(given["text"])
    filled = asyncio.run(resolve(variables, sources(given["secrets"]), job())).variables
    assert filled == orjson.loads(case["expected"]["text"])


@group("secret missing")
@pytest.mark.parametrize("fill", [ours, upstreams])
def test_a_missing_secret_is_named(case, fill):
    """A name that nobody knows ends the job, with upstream's words first."""
    with pytest.raises(SecretsMissing) as caught:
        fill(case["input"]["text"], case["input"]["secrets"])
    assert caught.value.message.startswith(case["expected"]["error"])
    assert not caught.value.uses_retry


class Echo:
    """A connector that answers with its inputs, or raises what it was given."""

    def __init__(self, raises=None):
        self._raises = raises

    def read(self, variables):
        return variables

    def build(self, inputs):
        return inputs

    async def send(self, request, time_left_s):
        if self._raises:
            raise self._raises
        return Given(request)


class Given:
    """An answer."""

    def __init__(self, given):
        self._given = given

    def value(self):
        return self._given

    encodable = value


class Blind:
    """A witness that looks away."""

    def ended(self, *seen):
        pass


def run(variables, given, *, raises=None):
    """One job through the pipeline, by upstream's way with secrets."""
    clock = SystemClock()
    pipeline = Pipeline(
        Echo(raises), sources(given), None, Blind(), clock, upstream=Upstream(secrets=True)
    )
    handed = job(headers={"resultVariable": "got"}, deadline_ms=clock.now_ms() + 60_000)
    return asyncio.run(pipeline.handle(replace(handed, variables_json=variables)))


@group("secret first")
def test_a_missing_secret_comes_before_any_other_fault(case):
    """What is missing is told first, because nothing else can be judged without it."""
    outcome = run(case["input"]["variables"], case["input"]["secrets"])
    assert outcome.message.startswith(case["expected"]["errorMessagePrefix"])
    assert outcome.retries == 0


@group("secret bound")
def test_a_reference_outside_of_quotes_makes_a_number(case):
    """In upstream's way a secret can become a number."""
    outcome = run(case["input"]["variables"], case["input"]["secrets"])
    assert orjson.loads(outcome.variables_json)["got"] == case["expected"]


def test_variables_that_are_no_json_end_this_job_only():
    """Case 43's text lacks its end: the job fails at once, and says what is wrong with it."""
    outcome = run('{ "integer": "{{secrets.FOO}}"', {"FOO": "secret"})
    assert outcome.retries == 0
    assert "no JSON" in outcome.message


@group("secret of the environment")
def test_the_environment_gives_a_secret_by_its_whole_name(case):
    """Prefix, tenant and process come before the name, each as the settings say."""
    given = case["input"]
    provider = EnvironmentSecrets(
        given["env"],
        given["prefix"],
        by_tenant=given["tenantAware"],
        by_process=given["processDefinitionAware"],
    )
    context = given["context"]
    asking = replace(job(), tenant_id=context["tenantId"], bpmn_process_id=context["processId"])
    found = provider.get(given["name"], asking)
    expected = case["expected"]["value"]
    assert found == (None if expected is None else SecretStr(expected))


@group("secret masked in a message")
def test_a_message_does_not_tell_a_secret(case):
    """What a connector raises is masked before it leaves."""
    given = case["input"]
    used = upstreams(given["variables"], given["secrets"]).secrets
    ending = Ending(job(), TaskHeaders(), Redaction(used))
    outcome = ending.failed(CallError(given["thrownMessage"]))
    assert outcome.message.startswith(case["expected"]["errorMessagePrefix"])


@group("secret masked in variables")
def test_error_variables_do_not_tell_a_secret(case):
    """Values and keys of error variables are masked; numbers and nulls stay what they are."""
    redaction = Redaction([SecretStr(value) for value in case["input"]["secretValues"]])
    masked = redaction.value(case["input"]["errorVariables"])
    assert masked == case["expected"]["errorVariables"]


def test_a_fault_of_the_inputs_does_not_tell_a_secret():
    """In upstream's way a key may be a secret, and a fault names keys: it is masked as well."""
    fault = InputError([Fault("request.s3cr3t-name", "is unknown")])
    ending = Ending(job(), TaskHeaders(), Redaction([SecretStr("s3cr3t-name")]))
    assert "s3cr3t-name" not in ending.failed(fault).message
