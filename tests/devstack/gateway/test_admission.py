"""Who is let in: tokens, tenants, back-pressure, taken ports."""

from __future__ import annotations

import grpc
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pyzeebe.proto import gateway_pb2 as pb

from devstack.gateway import Gateway
from runtime.clock import SystemClock
from tests.kit import bpmn as b

_ONE_TASK = b.bpmn(b.start(), b.service("t"), b.end(), b.chain("start", "t", "end"))


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        ([("authorization", "Bearer good")], None),
        ([("authorization", "bearer good")], None),
        ([], StatusCode.UNAUTHENTICATED),
        ([("authorization", "Bearer expired")], StatusCode.UNAUTHENTICATED),
        ([("authorization", "Basic Z29vZA==")], StatusCode.UNAUTHENTICATED),
    ],
    ids=["good", "lower-case", "none", "expired", "basic"],
)
async def test_token_check(serve, metadata, status):
    """With a token check each call needs a token that is good at that moment."""
    async with serve(check_token=lambda token: token == "good") as served:
        call = served.call.Topology(pb.TopologyRequest(), metadata=metadata)
        if status is None:
            assert (await call).clusterSize == 1
        else:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await call
            assert error.value.code() is status


async def test_token_check_of_streaming_calls(serve, refused):
    """Polls and streams need a token too; the health service needs none."""
    async with serve(check_token=lambda _token: False) as served:
        code, _ = await refused(served.poll())
        assert code is StatusCode.UNAUTHENTICATED
        code, _ = await refused(served.stream().read())
        assert code is StatusCode.UNAUTHENTICATED
        stub = health_pb2_grpc.HealthStub(served.channel)
        await stub.Check(health_pb2.HealthCheckRequest())


async def test_back_pressure_on_request(served, refused):
    """The next n calls, of the kinds named, are refused with RESOURCE_EXHAUSTED; then none."""
    served.gateway.exhaust(2, ["CreateProcessInstance"])
    await served.call.Topology(pb.TopologyRequest())
    for _ in range(2):
        code, message = await refused(served.start())
        assert code is StatusCode.RESOURCE_EXHAUSTED
        assert message == "Reached maximum capacity of requests handled"
    await served.start()
    served.gateway.exhaust(-1)
    for _ in range(5):
        code, _ = await refused(served.poll())
        assert code is StatusCode.RESOURCE_EXHAUSTED
    served.gateway.exhaust(0)
    assert len(await served.poll()) == 1


async def test_tenants_are_off(served, refused):
    """Without multi-tenancy any other tenant than the default one is refused."""
    code, message = await refused(served.poll(tenantIds=["one"]))
    assert code is StatusCode.INVALID_ARGUMENT
    assert message == (
        "Expected to handle gRPC request ActivateJobs with tenant identifier 'one', "
        "but multi-tenancy is disabled"
    )
    assert await served.poll(tenantIds=["<default>"]) == []


async def test_tenants_are_kept_apart(serve, refused):
    """With multi-tenancy a caller sees its tenants' jobs and no others, and must name one."""
    async with serve(tenants=["one", "two"]) as served:
        resources = served.cluster.events("DEPLOYMENT", "CREATED")
        assert resources
        for tenant in ("one", "two"):
            await served.call.DeployResource(
                pb.DeployResourceRequest(
                    resources=[pb.Resource(name="p.bpmn", content=_ONE_TASK)], tenantId=tenant
                ),
            )
            await served.call.CreateProcessInstance(
                pb.CreateProcessInstanceRequest(bpmnProcessId="p", version=-1, tenantId=tenant),
            )
        [job] = await served.poll(tenantIds=["one"])
        assert job.tenantId == "one"
        for tenants, status, problem in (
            (["three"], StatusCode.PERMISSION_DENIED, "tenant is not authorized"),
            ([], StatusCode.INVALID_ARGUMENT, "no tenant identifier was provided."),
            (["a b"], StatusCode.INVALID_ARGUMENT, "contains illegal characters"),
            (["x" * 32], StatusCode.INVALID_ARGUMENT, "is longer than 31 characters"),
        ):
            code, message = await refused(served.poll(tenantIds=tenants))
            assert code is status
            assert problem in message
        [other] = await served.poll(tenantIds=["one", "two"])
        assert other.tenantId == "two"


async def test_taken_port(served):
    """A port that is taken is an OSError that names it."""
    other = Gateway(served.cluster.engine, SystemClock())
    with pytest.raises(OSError, match=str(served.port)):
        await other.start(served.port)


async def test_starting_twice(served):
    """A gateway listens once; stopping twice does nothing."""
    with pytest.raises(RuntimeError, match="listens already"):
        await served.gateway.start(0)
    await served.gateway.stop()
    await served.gateway.stop()
