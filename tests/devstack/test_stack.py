"""The whole cluster: what one side does shows on the other, over real sockets."""

from __future__ import annotations

import aiohttp
import grpc
import pytest
from pyzeebe.proto.gateway_pb2 import (
    CreateProcessInstanceRequest,
    DeployResourceRequest,
    Resource,
    TopologyRequest,
)
from pyzeebe.proto.gateway_pb2_grpc import GatewayStub

from devstack.faults import Status
from devstack.issuer import TokenRequest
from devstack.operate.seeds import read_seeds
from devstack.stack import Ports, Stack, StackOptions
from tests.kit.user_task import APPROVAL

CREDENTIALS = {
    "grant_type": "client_credentials",
    "client_id": "operate",
    "client_secret": "secret",
}


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


async def token_header(session, stack):
    async with session.post(stack.token_url, data=CREDENTIALS) as response:
        return {"Authorization": f"Bearer {(await response.json())['access_token']}"}


async def start_approval(stack):
    async with grpc.aio.insecure_channel(stack.grpc_address) as channel:
        gateway = GatewayStub(channel)
        resource = Resource(name="approval.bpmn", content=APPROVAL.encode())
        await gateway.DeployResource(DeployResourceRequest(resources=[resource]))
        request = CreateProcessInstanceRequest(bpmnProcessId="approval", version=-1)
        return (await gateway.CreateProcessInstance(request)).processInstanceKey


async def test_an_instance_shows_in_operate_and_ends_by_its_user_task(session):
    """Deployed and started over gRPC, seen over HTTP on both ports, moved on by the API v2."""
    async with Stack.start(StackOptions(port_base=0)) as stack:
        headers = await token_header(session, stack)
        key = await start_approval(stack)
        url = f"{stack.operate_url}/v1/process-instances/{key}"
        async with session.get(url, headers=headers) as response:
            assert (await response.json())["state"] == "ACTIVE"
        query = {"filter": {"processInstanceKey": str(key)}}
        search = f"{stack.http_url}/v2/user-tasks/search"
        async with session.post(search, json=query, headers=headers) as response:
            task = (await response.json())["items"][0]["userTaskKey"]
        completion = f"{stack.http_url}/v2/user-tasks/{task}/completion"
        async with session.post(completion, headers=headers) as response:
            assert response.status == 204
        url = f"{stack.http_url}/v1/process-instances/{key}"
        async with session.get(url, headers=headers) as response:
            assert (await response.json())["state"] == "COMPLETED"


@pytest.mark.parametrize(
    ("version", "v1", "v2"),
    [("8.5", 200, 404), ("8.8", 200, 200), ("8.10", 404, 200)],
)
async def test_both_servers_have_the_apis_of_the_version(session, version, v1, v2):
    """The API v1 up to 8.9, user tasks under v2 from 8.6 on."""
    async with Stack.start(StackOptions(version=version, port_base=0)) as stack:
        headers = await token_header(session, stack)
        for url in (stack.http_url, stack.operate_url):
            for path, status in [
                ("/v1/process-instances/search", v1),
                ("/v2/user-tasks/search", v2),
            ]:
                async with session.post(f"{url}{path}", json={}, headers=headers) as response:
                    assert response.status == status, path
            async with session.get(f"{url}/v2/nothing", headers=headers) as response:
                body = await response.json(content_type="application/problem+json")
                assert (response.status, body["status"]) == (404, 404)
                assert "not available in this version" in body["detail"]


async def test_the_gateway_asks_for_a_token_only_when_told_to(session):
    """A call without a token, or with one that was revoked, is UNAUTHENTICATED."""
    options = StackOptions(port_base=0, gateway_requires_token=True)
    async with Stack.start(options) as stack:
        headers = await token_header(session, stack)
        metadata = [("authorization", headers["Authorization"])]
        async with grpc.aio.insecure_channel(stack.grpc_address) as channel:
            topology = GatewayStub(channel).Topology
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await topology(TopologyRequest())
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
            await topology(TopologyRequest(), metadata=metadata)
            stack.issuer.revoke_all()
            with pytest.raises(grpc.aio.AioRpcError):
                await topology(TopologyRequest(), metadata=metadata)


async def test_the_gateway_presses_back_when_it_is_told_to_over_http(session):
    """So many of the calls named are RESOURCE_EXHAUSTED, from a program in any language."""
    async with (
        Stack.start(StackOptions(port_base=0)) as stack,
        grpc.aio.insecure_channel(stack.grpc_address) as channel,
    ):
        url = f"{stack.http_url}/devstack/back-pressure"
        async with session.post(url, json={"requests": 1, "calls": ["Topology"]}) as response:
            assert response.status == 204
        topology = GatewayStub(channel).Topology
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await topology(TopologyRequest())
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await topology(TopologyRequest())
        async with session.post(url, json={"requests": -1}) as response:
            assert response.status == 204
        async with session.delete(url) as response:
            assert response.status == 204
        await topology(TopologyRequest())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "truncated"),
        (b"{}", "requests"),
        (b'{"requests": -2}', "requests"),
        (b'{"requests": 1, "calls": ["CompletJob"]}', "no call CompletJob"),
        (b'{"requests": 1, "times": 1}', "times"),
    ],
)
async def test_back_pressure_that_cannot_be_is_refused_with_its_reason(session, body, reason):
    """A misspelt name would press back on nothing."""
    async with Stack.start(StackOptions(port_base=0)) as stack:
        url = f"{stack.http_url}/devstack/back-pressure"
        async with session.post(url, data=body) as response:
            assert response.status == 400
            assert reason in await response.text()


async def test_a_read_delay_holds_for_both_apis(session, clock):
    """What was written shows neither in v1 nor in v2 before the clock has moved on."""
    options = StackOptions(port_base=0, read_delay_s=5, is_api_protected=False, clock=clock)
    async with Stack.start(options) as stack:
        await start_approval(stack)
        for is_over in (False, True):
            await clock.advance(5 * is_over)
            for path in ("/v1/process-instances/search", "/v2/user-tasks/search"):
                async with session.post(f"{stack.http_url}{path}", json={}) as response:
                    items = (await response.json())["items"]
                assert len(items) == is_over, path


async def test_seeds_are_served_beside_what_the_engine_makes(session):
    """A seed and a real instance are two items of one search."""
    seeds = tuple(read_seeds({"process-instances": [{"key": 1, "state": "ACTIVE"}]}))
    options = StackOptions(port_base=0, seeds=seeds, is_api_protected=False)
    async with Stack.start(options) as stack:
        key = await start_approval(stack)
        url = f"{stack.operate_url}/v1/process-instances/search"
        async with session.post(url, json={}) as response:
            assert [item["key"] for item in (await response.json())["items"]] == [1, key]


async def test_no_key_of_the_engine_is_a_seeds(session):
    """Seeds out of a real cluster have the keys that an engine gives first; it begins behind."""
    first = (1 << 51) + 1
    given = {
        "process-instances": [{"key": first, "processDefinitionKey": first + 1}],
        "variables": [{"key": first + 40, "processInstanceKey": first, "name": "seeded"}],
    }
    seeds = tuple(read_seeds(given))
    async with Stack.start(StackOptions(port_base=0, seeds=seeds, is_api_protected=False)) as stack:
        key = await start_approval(stack)
        assert key > first + 40
        for path, items in given.items():
            url = f"{stack.operate_url}/v1/{path}/{items[0]['key']}"
            async with session.get(url) as response:
                assert (await response.json()).items() >= items[0].items()


async def test_each_server_has_its_own_faults(session):
    """A fault on one port does not show on the others."""
    async with Stack.start(StackOptions(port_base=0)) as stack:
        stack.faults["issuer"].add(Status(status=503))
        async with session.post(stack.token_url, data=CREDENTIALS) as response:
            assert response.status == 503
        stack.faults["operate"].add(Status(status=500))
        async with session.get(f"{stack.http_url}/") as response:
            assert response.status == 200
        assert await token_header(session, stack)


async def test_a_token_may_be_made_without_http():
    """A test that only needs a token takes it from the issuer."""
    async with Stack.start(StackOptions(port_base=0)) as stack:
        token = stack.issuer.issue(TokenRequest("operate", "operate-api", None))
        assert stack.issuer.check(token) == TokenRequest("operate", "operate-api", None)


async def test_a_taken_port_ends_the_start(session):
    """The start fails, and what listened already is closed again."""
    async with Stack.start(StackOptions(port_base=0)) as stack:
        taken = int(stack.token_url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match=r"."):
            async with Stack.start(StackOptions(port_base=taken - 3)):
                pass
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"http://localhost:{taken - 2}/")


async def test_nothing_listens_after_the_block(session):
    """The end of the block closes every port."""
    async with Stack.start(StackOptions(port_base=0)) as stack:
        url = stack.http_url
    with pytest.raises(aiohttp.ClientConnectionError):
        await session.get(url)


def test_ports_are_camundas_own_unless_told_otherwise():
    """The documented ports, free ones, or four in a row."""
    assert Ports.from_base(None) == Ports(26500, 8080, 8081, 18080, 8088, 9200)
    assert Ports.from_base(0) == Ports(0, 0, 0, 0, 0, 0)
    assert Ports.from_base(30_000) == Ports(30_000, 30_001, 30_002, 30_003, 30_004, 30_005)
