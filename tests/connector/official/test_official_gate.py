"""Which jobs of the REST connector's type are Operate calls, and what becomes of the others."""

import pytest

from connector.official.gate import HAND_BACK_MS, OfficialJobs
from connector.official.template import is_operate_call
from tests.kit.official import GET, SAAS, SEARCH, TEMPLATE_ID, official_job, variables
from worker.outcome import Complete, Fail

REST = {"url": "https://example.com", "method": "get", "authentication": {"type": "noAuth"}}


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        (variables(), {}),
        (variables(input=GET), {}),
        (variables(authentication=SAAS), {}),
        (
            variables(
                authentication={**SAAS, "audience": None}, url="https://x.operate.camunda.io/c/v1"
            ),
            {},
        ),
        ({}, {"elementTemplateId": TEMPLATE_ID, "elementTemplateVersion": "5"}),
        (variables(), {"resultExpression": "={a: 1}"}),
        (variables(), {"elementTemplateId": "com.example.OurOperate"}),
        (variables(), {"elementTemplateId": 7}),
    ],
)
def test_an_operate_call_is_known(given, headers):
    """By its template's header from version 5 on; before that, and in copies, by its inputs."""
    assert is_operate_call(official_job(given, headers))


ORCHESTRATION = {
    "authentication": {"internal_deployment_type": "sm", "orchestration_base_url": "http://x"},
    "input": {**SEARCH, "internal_endpoint": "/process-instances"},
}


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        (REST, {}),
        (ORCHESTRATION, {}),
        (variables(), {"elementTemplateId": "io.camunda.connectors.HttpJson.v2"}),
        ({"input": "x", "authentication": "y"}, {}),
        ({"input": {"internal_endpoint": ["/v1/incidents"]}, "authentication": {}}, {}),
        ({}, {}),
        (variables(authentication={"internal_deployment_type": "sm"}), {}),
    ],
)
def test_everything_else_is_not_one(given, headers):
    """Other REST tasks, and other templates that are built in the same way, are not ours."""
    assert not is_operate_call(official_job(given, headers))


async def test_an_operate_call_is_done():
    """A job that is ours reaches the pipeline."""

    async def done(job):
        return Complete()

    gate = OfficialJobs(done, [].append)
    assert await gate.handle(official_job(variables())) == Complete()


async def test_a_foreign_job_goes_back_untouched():
    """Its retries stay, its error expression is not asked, and the message says what to do."""

    async def never(job):
        raise AssertionError("a foreign job was handled")

    counted = []
    gate = OfficialJobs(never, counted.append)
    headers = {"errorExpression": '=bpmnError("X")', "retryBackoff": "nonsense"}
    outcome = await gate.handle(
        official_job({**REST, "body": "{{secrets.NOBODY}}"}, headers, retries=2)
    )
    assert isinstance(outcome, Fail)
    assert (outcome.retries, outcome.backoff_ms) == (2, HAND_BACK_MS)
    assert "CONNECTOR_HTTP_REST_TYPE" in outcome.message
    assert len(counted) == 1
