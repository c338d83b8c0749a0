"""Settings that change what a job means reach the jobs of a running connector."""

from __future__ import annotations

import asyncio
import re

import orjson
import pytest

from devstack.faults import Delay
from tests.kit.connector_process import connector_process
from tests.kit.waiting import PATIENCE_S

pytestmark = pytest.mark.slow


async def test_jobs_share_a_read_if_they_may(stack, story, environ):
    """Jobs that ask alike within the window get one answer, and the metric says how many."""
    story.deploy(resultExpression="={total: response.body.total}")
    stack.faults["operate"].add(Delay(delay_s=0.5, times=0, path="/v1"))
    request = {"endpoint": "incidents", "operation": "search"}
    async with connector_process({**environ, "CONNECTOR_COALESCE_MS": "60000"}) as connector:
        ends = [story.begin(request=request)[1] for _ in range(30)]
        async with asyncio.timeout(PATIENCE_S):
            results = await asyncio.gather(*ends)
        _, metrics = await connector.get("/metrics")
    assert {result.variables["total"] for result in results} == {0}
    (shared,) = re.findall(r"^connector_shared_reads_total (\S+)$", metrics, re.MULTILINE)
    assert float(shared) > 20


@pytest.mark.parametrize("is_upstreams", [True, False])
async def test_upstreams_response_can_be_had(stack, story, environ, is_upstreams):
    """What `response` is to an error expression after a success is as the setting says."""
    story.deploy(
        resultExpression="={total: response.body.total}",
        errorExpression="=ignoreError({seen: response.body.total != null})",
    )
    setting = {"CONNECTOR_UPSTREAM_RESPONSE": str(is_upstreams).lower()}
    async with connector_process({**environ, **setting}):
        assert (await story.end())["seen"] is not is_upstreams


@pytest.mark.parametrize("is_upstreams", [True, False])
async def test_upstreams_secrets_can_be_had(stack, story, environ, is_upstreams):
    """Whether a key is a reference to a secret is as the setting says."""
    story.deploy(resultExpression="={total: response.body.total}")
    settings = {
        "CONNECTOR_UPSTREAM_SECRETS": str(is_upstreams).lower(),
        "SECRET_NAME": "results",
    }
    request = {"endpoint": "incidents", "operation": "search", "{{secrets.NAME}}": 5}
    async with connector_process({**environ, **settings}):
        if is_upstreams:
            assert (await story.end(request=request))["total"] == 0
        else:
            fault = "request.{{secrets.NAME}}: is unknown"
            assert fault in await story.incident(request=request)


async def test_a_start_tells_of_settings_that_look_wrong(environ):
    """A misspelt name of Camunda's form is not refused, but named with the nearest right one."""
    misspelt = "CAMUNDA_CONNECTOR_SECRETPROVIDER_ENVIRONMENT_PREFX"
    wrong = {misspelt: "X_", "CONNECTOR_SECRETS_DIR": "/nowhere"}
    async with connector_process({**environ, **wrong}) as connector:
        await connector.stop()
    warnings = [orjson.loads(line) for line in connector.lines if '"level":"warning"' in line]
    told = {entry.get("setting"): entry.get("remedy") for entry in warnings}
    assert told[misspelt] == f"did you mean {misspelt.removesuffix('X')}IX?"
    assert told["CONNECTOR_SECRETS_DIR"] == "name a directory that this user can read"
