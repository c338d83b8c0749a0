"""Camunda's own Operate templates, applied by Camunda's own tool, run by the connector."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

import pytest

from devstack.engine import Resource
from devstack.faults import Cut, HalfBody, Hang, HtmlPage, Status
from devstack.stack import Stack, StackOptions
from tests.kit.connector_process import connector_process
from tests.kit.modeler import run_node
from tests.kit.saas import CLUSTER_ID, CONSOLE_HOST, LOGIN_HOST, OPERATE_HOST, REGION, saas
from tests.kit.waiting import PATIENCE_S, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

VERSIONS = range(8)
CREDENTIALS = {
    "authentication.clientId": "{{secrets.CLIENT_ID}}",
    "authentication.clientSecret": "secrets.CLIENT_SECRET",
}
SEARCH = {"input.internal_filter": '={bpmnProcessId: "wanted"}'}
GET = {"input.internal_operation": "/", "input.internal_key": "=wantedKey"}


@dataclass
class Cloud:
    """A cluster with one instance to be found, and the connector that works for it."""

    stack: Stack
    incidents: dict
    saas: object = None

    def deploy(self, diagrams):
        resources = [Resource(f"{name}.bpmn", xml.encode()) for name, xml in diagrams.items()]
        self.stack.engine.deploy(resources)

    async def run(self, process_id, **variables):
        """The variables that an instance ends with."""
        ended = asyncio.get_running_loop().create_future()
        result = self.stack.engine.create_instance(
            process_id=process_id, variables=variables, on_result=ended.set_result
        )
        await eventually(lambda: ended.done() or result.key in self.incidents)
        assert result.key not in self.incidents, self.incidents[result.key]
        return ended.result().variables

    async def incident(self, process_id, **variables):
        """The message of the incident that an instance runs into."""
        key = self.stack.engine.create_instance(process_id=process_id, variables=variables).key
        await eventually(lambda: key in self.incidents)
        return self.incidents[key]


@pytest.fixture(params=["8.8", "8.10"])
async def cloud(request, tmp_path):
    """A cluster of either way with input mappings; 8.10 has no API v1, so an older one answers."""
    async with (
        Stack.start(StackOptions(port_base=0, version=request.param)) as stack,
        Stack.start(StackOptions(port_base=0)) as older,
    ):
        api = stack if request.param == "8.8" else older
        for each in {stack, api}:
            each.engine.deploy([Resource("wanted.bpmn", WANTED)])
        incidents = {}

        def read(record):
            if (record.value_type, record.intent) == ("INCIDENT", "CREATED"):
                incidents[record.value["processInstanceKey"]] = record.value["errorMessage"]

        stack.log.subscribe(read)
        async with saas(api.operate_url, api.token_url, tmp_path) as reached:
            environ = {
                **reached.environ,
                "CAMUNDA_CLIENT_GRPC_ADDRESS": f"http://{stack.grpc_address}",
                "CONNECTOR_OFFICIAL_TEMPLATES": "true",
                "SECRET_CLIENT_ID": "operate",
                "SECRET_CLIENT_SECRET": "secret",
            }
            async with connector_process(environ):
                cloud = Cloud(stack, incidents, reached)
                cloud.api = api
                cloud.wanted = api.engine.create_instance(process_id="wanted", variables={}).key
                yield cloud


WANTED = (
    b'<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    b'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="t">'
    b'<bpmn:process id="wanted" isExecutable="true"><bpmn:startEvent id="s"/>'
    b'<bpmn:serviceTask id="t"><bpmn:extensionElements><zeebe:taskDefinition type="nobody"/>'
    b"</bpmn:extensionElements></bpmn:serviceTask>"
    b'<bpmn:sequenceFlow id="f" sourceRef="s" targetRef="t"/></bpmn:process></bpmn:definitions>'
)


def typed(api, form):
    """What a user types for a cluster in the cloud or one of their own."""
    if form == "saas":
        return {
            **CREDENTIALS,
            "authentication.internal_region": REGION,
            "authentication.internal_cluster": CLUSTER_ID,
        }
    return {
        **CREDENTIALS,
        "authentication.internal_deployment_type": "sm",
        "authentication.operate_base_url": api.operate_url,
        "authentication.oauthTokenEndpoint": api.token_url,
    }


def applied(asked, directory):
    """The diagrams that Camunda's tool makes."""
    given = directory / "asked.json"
    given.write_text(json.dumps(asked))
    return run_node("official.mjs", given)


async def test_every_version_of_the_template_runs(cloud, tmp_path):
    """Versions 0 to 7, in the cloud and self-managed, search and get by key, find the instance."""
    asked = {
        f"{form}-{kind}-{version}": {
            "version": version,
            "values": {**typed(cloud.api, form), **values},
        }
        for version in VERSIONS
        for form in ("saas", "sm")
        for kind, values in (("search", SEARCH), ("get", GET))
    }
    cloud.deploy(applied(asked, tmp_path))
    found = {
        name: (await cloud.run(name, wantedKey=str(cloud.wanted)))["operateResponse"]
        for name in asked
    }
    assert len(found) == 32
    for name, answer in found.items():
        if "search" in name:
            assert [item["key"] for item in answer["items"]] == [cloud.wanted], name
            assert answer["sortValues"] == [cloud.wanted], name
        else:
            assert answer["key"] == cloud.wanted, name
    hosts = {host for host, _ in cloud.saas.asked}
    assert hosts == {OPERATE_HOST, LOGIN_HOST}


async def test_a_whole_answer_is_what_upstream_gives(cloud, tmp_path):
    """A result variable holds status, headers, body, reason and document."""
    values = {**typed(cloud.api, "sm"), **SEARCH, "resultVariable": "whole"}
    cloud.deploy(applied({"whole": {"version": 7, "values": values}}, tmp_path))
    answer = (await cloud.run("whole"))["whole"]
    assert set(answer) == {"status", "headers", "body", "reason", "document"}
    assert (answer["status"], answer["reason"], answer["document"]) == (200, "OK", None)


async def test_an_error_of_the_api_is_what_upstream_gives(cloud, tmp_path):
    """The reason phrase is the message, the status as text is the code, as expressions expect."""
    expression = '=if error.code = "404" then ignoreError({said: error.message}) else null'
    values = {**typed(cloud.api, "sm"), **GET, "errorExpression": expression}
    cloud.deploy(applied({"missing": {"version": 7, "values": values}}, tmp_path))
    assert (await cloud.run("missing", wantedKey="1"))["said"] == "Not Found"


ERROR = "=if error = null then null else ignoreError({failed: error})"
ABORTED = "An error occurred while executing the request, or the connection was aborted"
TIMED_OUT = "The request timed out. Please try increasing the read and connection timeouts."


async def test_scripted_answers_of_every_kind(cloud, tmp_path):
    """Whatever the API does, the variables are those that upstream gives, in versions 0 and 7."""
    values = {
        **typed(cloud.api, "sm"),
        **SEARCH,
        "resultVariable": "got",
        "resultExpression": "={said: response.body}",
        "errorExpression": ERROR,
        "connectionTimeoutInSeconds": str(round(PATIENCE_S)),
    }
    names = {f"any-{version}": {"version": version, "values": values} for version in (0, 7)}
    hasty = {**values, "connectionTimeoutInSeconds": "1"}
    hanging = {f"hang-{version}": {"version": version, "values": hasty} for version in (0, 7)}
    cloud.deploy(applied(names | hanging, tmp_path))
    faults = cloud.api.faults["operate"]

    async def run(name, *planned):
        faults.add(*planned)
        ended = await cloud.run(name)
        faults.clear()
        return ended

    for name in names:
        html = (await run(name, HtmlPage(path="/v1")))["got"]
        assert (html["status"], html["body"].startswith("<!doctype html>")) == (200, True)
        empty = (await run(name, Status(status=204, path="/v1")))["got"]
        assert (empty["status"], empty["body"], empty["reason"]) == (204, None, "No Content")
        moved = (await run(name, Status(status=302, body="see there", path="/v1")))["got"]
        assert (moved["status"], moved["body"]) == (302, "see there")
        number = await run(name, Status(status=200, body=" 42 ", path="/v1"))
        assert number["said"] == " 42 "
        once = await run(name, Status(status=401, path="/v1"))
        assert once["got"]["status"] == 200
        refused = (await run(name, Status(status=401, path="/v1", times=2)))["failed"]
        assert (refused["code"], refused["message"]) == ("401", "Unauthorized")
        broken = Status(status=500, body='{"why": "full"}', path="/v1")
        error = (await run(name, broken))["failed"]
        assert (error["code"], error["message"]) == ("500", "Internal Server Error")
        assert error["variables"]["response"]["body"] == {"why": "full"}
        for fault in (Cut(path="/v1"), HalfBody(path="/v1")):
            error = (await run(name, fault))["failed"]
            assert (error["code"], error["message"]) == ("408", ABORTED)
    for name in hanging:
        error = (await run(name, Hang(path="/v1")))["failed"]
        assert (error["code"], error["message"]) == ("408", TIMED_OUT)


async def test_unfilled_fields_are_named(cloud, tmp_path):
    """A task that nobody filled in ends in an incident that lists what is missing."""
    cloud.deploy(applied({"empty": {"version": 7, "values": GET}}, tmp_path))
    message = await cloud.incident("empty", wantedKey="1")
    for name in ("internal_region", "internal_cluster", "clientId", "clientSecret"):
        assert f"authentication.{name}: is missing" in message


async def test_other_rest_jobs_are_left_for_the_stock_runtime(cloud, tmp_path):
    """A REST task of another kind keeps its retries and is free again after a moment."""
    task = WANTED.replace(b'"nobody"', b'"io.camunda:http-json:1"').replace(b'"wanted"', b'"rest"')
    cloud.stack.engine.deploy([Resource("rest.bpmn", task)])
    failed = []

    def read(record):
        if (record.value_type, record.intent) == ("JOB", "FAILED"):
            failed.append(record.value)

    cloud.stack.log.subscribe(read)
    key = cloud.stack.engine.create_instance(process_id="rest", variables={}).key
    await eventually(lambda: len(failed) == 2)
    for each in failed:
        assert (each["retries"], each["retryBackoff"]) == (3, 5000)
        assert "CONNECTOR_HTTP_REST_TYPE" in each["errorMessage"]
    assert key not in cloud.incidents


async def test_consoles_secrets_are_filled_in(tmp_path):
    """A cluster in the cloud gets its secrets from Console, with the client of the gateway."""
    secrets = {"CLIENT_ID": "operate", "CLIENT_SECRET": "secret"}
    async with (
        Stack.start(StackOptions(port_base=0)) as stack,
        saas(stack.operate_url, stack.token_url, tmp_path, secrets) as reached,
    ):
        environ = {
            **reached.environ,
            "CAMUNDA_CLIENT_GRPC_ADDRESS": f"http://{stack.grpc_address}",
            "CAMUNDA_CLIENT_AUTH_CLIENT_ID": "operate",
            "CAMUNDA_CLIENT_AUTH_CLIENT_SECRET": "secret",
            "CAMUNDA_CLIENT_AUTH_TOKEN_URL": f"https://{LOGIN_HOST}/oauth/token",
            "CAMUNDA_CONNECTOR_SECRETPROVIDER_CONSOLE_ENABLED": "true",
            "CONNECTOR_OFFICIAL_TEMPLATES": "true",
        }
        async with connector_process(environ):
            cloud = Cloud(stack, {}, reached)
            values = {**typed(stack, "saas"), **SEARCH}
            cloud.deploy(applied({"console": {"version": 7, "values": values}}, tmp_path))
            assert (await cloud.run("console"))["operateResponse"]["items"] == []
    assert (CONSOLE_HOST, "/secrets") in reached.asked
