"""Secrets go through a running connector, and all that leaves the process is searched for them."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from devstack.engine import Resource
from tests.kit.bpmn import bpmn, chain, end, service, start
from tests.kit.canary import CANARIES, echo, found_in
from tests.kit.connector_process import connector_process
from tests.kit.http import serving
from tests.kit.official import SEARCH as OFFICIAL_SEARCH
from tests.kit.official import TEMPLATE_ID
from tests.kit.official import authentication as official_authentication
from tests.kit.waiting import eventually

pytestmark = pytest.mark.slow

OAUTH = {
    "type": "oauth",
    "clientId": "{{secrets.ID}}",
    "clientSecret": "{{secrets.KEY}}",
    "audience": "{{secrets.AUDIENCE}}",
    "scopes": "{{secrets.SCOPE}}",
}
LOGIN = {"username": "{{secrets.USER}}", "password": "{{secrets.PASSWORD}}"}
FILTER = {"bpmnProcessId": "{{secrets.ODD}}", "tenantId": "secrets.PLAIN"}


async def gossip(request: web.Request) -> web.StreamResponse:
    """Lets everybody in, then repeats what it hears."""
    if request.path == "/token":
        return web.json_response({"access_token": "canary-token-D00D42", "expires_in": 300})
    return await echo(request)


async def test_nothing_that_leaves_the_process_holds_a_secret(stack, story):
    """Logs, metrics, status page, incidents, error variables and BPMN errors are all clean."""
    left, failures = [], 0
    stack.log.subscribe(left.append)
    async with serving(gossip) as origin, serving(echo) as refusing:
        environ = {
            "CAMUNDA_CLIENT_GRPC_ADDRESS": f"http://{stack.grpc_address}",
            "CONNECTOR_OFFICIAL_TEMPLATES": "true",
            "CONNECTOR_LOG_LEVEL": "DEBUG",
            "SECRET_URL": origin,
            **{f"SECRET_{name}": value for name, value in CANARIES.items()},
        }
        async with connector_process(environ) as connector:
            story.deploy(errorExpression='=jobError("x " + string(error), {all: error})')
            here = {"operateUrl": "{{secrets.URL}}", "tokenUrl": "{{secrets.URL}}/token"}
            request = {**story.request, "filter": FILTER}
            for authentication in (OAUTH, {"type": "basic", **LOGIN}):
                await story.incident(cluster=here, authentication=authentication, request=request)
                failures += 1
            away = {"operateUrl": refusing, "tokenUrl": f"{refusing}/token"}
            await story.incident(cluster=away, authentication=OAUTH, request=request)
            await story.incident(
                cluster=away, authentication={"type": "session", **LOGIN}, request=request
            )
            await official_incident(stack, story, origin)
            pages = [(await connector.get(path))[1] for path in ("/", "/status.json", "/metrics")]
            assert await connector.stop() == 0
    written = [str(record.value) for record in left if record.value_type in {"INCIDENT", "JOB"}]
    assert len([each for each in left if each.value_type == "INCIDENT"]) >= failures
    # What the engine was given to hold, references, is no secret; what it was told back may be.
    for text in [*connector.lines, *pages, *written]:
        assert found_in(text) == [], text[:2000]
        assert "canary-token-D00D42" not in text, text[:2000]
    assert not any(origin in page for page in pages)
    assert any("***" in text for text in written)


async def official_incident(stack, story, origin):
    """The same by Camunda's template."""
    mappings = [("=authentication", "authentication"), ("=input", "input")]
    task = service(
        "ask",
        type="io.camunda:http-json:1",
        retries="1",
        inputs=mappings,
        task_headers={"elementTemplateId": TEMPLATE_ID},
    )
    content = bpmn(start(), task, end(), chain("start", "ask", "end"), id="official")
    stack.engine.deploy([Resource("official.bpmn", content)])
    given = {
        "authentication": official_authentication(
            origin, clientId="{{secrets.ID}}", clientSecret="{{secrets.KEY}}"
        ),
        "input": {**OFFICIAL_SEARCH, "internal_filter": FILTER},
    }
    key = stack.engine.create_instance(process_id="official", variables=given).key
    await eventually(lambda: key in story.incidents)
    await asyncio.sleep(0)
