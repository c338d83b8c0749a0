"""The commands that show a request without sending it, and look whether all is set up."""

from __future__ import annotations

import pytest
from aiohttp import web

from connector.check import check
from connector.inputs import Policy
from connector.render import render
from connector.secrets import EnvironmentSecrets
from connector.settings import ConnectorSettings
from runtime.settings import load
from tests.kit.http import serving
from tests.kit.jobs import SEARCH, variables
from tests.kit.official import GET, SAAS
from tests.kit.official import variables as official_variables

SECRETS = [EnvironmentSecrets({"S_ID": "the-client-id", "S_KEY": "the-key"}, "S_")]


async def test_a_request_of_our_own_template_is_shown():
    """Method, address, headers and body, the credentials masked."""
    assert (await render(variables(), SECRETS, Policy())).splitlines()[:5] == [
        "POST http://localhost:8081/v1/process-instances/search",
        "Host: localhost:8081",
        "Accept: application/json",
        "Authorization: Bearer ***",
        "# token from http://localhost:18080/token for operate-api",
    ]


@pytest.mark.parametrize(("is_upstream", "asked"), [(False, "mysecrets.KEY"), (True, "my***")])
async def test_secrets_are_filled_in_as_the_job_has_them(is_upstream, asked):
    """Where upstream's way with secrets is set, the request is the one that it makes."""
    search = {**SEARCH, "filter": {"bpmnProcessId": "mysecrets.KEY"}}
    shown = await render(variables(request=search), SECRETS, Policy(), upstream_secrets=is_upstream)
    assert f'"bpmnProcessId": "{asked}"' in shown


async def test_a_request_of_camundas_template_is_shown():
    """The file may as well hold what Camunda's own Operate template writes."""
    given = official_variables(authentication={**SAAS, "clientSecret": "{{secrets.KEY}}"})
    shown = await render(given, SECRETS, Policy())
    assert shown.splitlines() == [
        "POST https://bru-2.operate.camunda.io/7c8a-1/v1/process-instances/search",
        "Host: bru-2.operate.camunda.io",
        "Content-Type: application/json",
        "Authorization: Bearer ***",
        "# token from https://login.cloud.camunda.io/oauth/token for operate.camunda.io",
        "",
        "{",
        '  "filter": null,',
        '  "sort": null,',
        '  "searchAfter": null,',
        '  "size": 20',
        "}",
    ]
    by_key = await render(official_variables(input=GET), SECRETS, Policy())
    assert by_key.startswith("GET http://localhost:8081/v1/incidents/2251799813685732\n")


@pytest.mark.parametrize("is_there", [True, False])
async def test_console_is_looked_at(is_there):
    """What Console says to this client is one of the findings."""

    async def console(request):
        if request.path == "/token":
            return web.json_response({"access_token": "t", "expires_in": 60})
        return web.json_response({"A": "b"}, status=200 if is_there else 403)

    async with serving(console) as origin:
        settings = load(
            ConnectorSettings,
            {
                "CAMUNDA_CLIENT_GRPC_ADDRESS": "http://127.0.0.1:1",
                "CAMUNDA_CONNECTOR_SECRETPROVIDER_CONSOLE_ENABLED": "true",
                "CAMUNDA_CONNECTOR_SECRETPROVIDER_CONSOLE_ENDPOINT": f"{origin}/secrets",
                "CAMUNDA_CLIENT_AUTH_CLIENT_ID": "client",
                "CAMUNDA_CLIENT_AUTH_CLIENT_SECRET": "secret",
                "CAMUNDA_CLIENT_AUTH_TOKEN_URL": f"{origin}/token",
                "CONNECTOR_OFFICIAL_TEMPLATES": "true",
            },
        )
        findings = {finding.subject: finding async for finding in check(settings, {})}
    assert findings["settings"].text == "job type operate-connector:1 and io.camunda:http-json:1"
    assert findings["console secrets"].is_fine is is_there
    assert is_there or "status 403" in findings["console secrets"].text
