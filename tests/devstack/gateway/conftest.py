"""A gateway on a loopback socket in front of an engine, and a stub that calls it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
import pytest
from pyzeebe.proto import gateway_pb2 as pb
from pyzeebe.proto.gateway_pb2_grpc import GatewayStub

from devstack.gateway import Gateway
from runtime.clock import SystemClock
from tests.kit import bpmn as b
from tests.kit.cluster import Cluster

ONE_TASK = b.bpmn(b.start(), b.service("t"), b.end(), b.chain("start", "t", "end"))


@dataclass
class Served:
    """A gateway, its cluster, and a stub on a channel to it."""

    cluster: Cluster
    gateway: Gateway
    port: int
    channel: grpc.aio.Channel
    call: GatewayStub

    async def start(self, process_id="p", variables="") -> int:
        request = pb.CreateProcessInstanceRequest(
            bpmnProcessId=process_id, version=-1, variables=variables
        )
        return (await self.call.CreateProcessInstance(request)).processInstanceKey

    async def poll(self, **fields) -> list[pb.ActivatedJob]:
        """Jobs as one ActivateJobs call gives them."""
        request = {
            "type": "work",
            "worker": "w",
            "timeout": 60_000,
            "maxJobsToActivate": 100,
            "requestTimeout": -1,
            **fields,
        }
        answers = self.call.ActivateJobs(pb.ActivateJobsRequest(**request))
        return [job async for answer in answers for job in answer.jobs]

    @property
    def polls(self) -> int:
        """How many polls wait."""
        return sum(map(len, self.gateway._servicer._dispatch._polls.values()))

    @property
    def streams(self) -> list:
        """The streams that stand."""
        return [
            stream
            for streams in self.gateway._servicer._dispatch._streams.values()
            for stream in streams
        ]

    def stream(self, **fields):
        """A job stream."""
        request = {"type": "work", "worker": "w", "timeout": 60_000, **fields}
        return self.call.StreamActivatedJobs(pb.StreamActivatedJobsRequest(**request))


@pytest.fixture
def serve():
    """Makes a served cluster with the options given to the gateway."""

    @asynccontextmanager
    async def serving(*, engine=None, **options):
        cluster = Cluster(SystemClock(), **(engine or {}))
        cluster.deploy(ONE_TASK)
        gateway = Gateway(cluster.engine, SystemClock(), **options)
        port = await gateway.start(0)
        running = asyncio.create_task(cluster.engine.run())
        try:
            async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
                yield Served(cluster, gateway, port, channel, GatewayStub(channel))
        finally:
            await gateway.stop()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    return serving


@pytest.fixture
async def served(serve):
    async with serve() as served:
        yield served


@pytest.fixture
def refused():
    """Awaits a call that must be refused; gives the status and the message."""

    async def refusal(call):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call
        return error.value.code(), error.value.details()

    return refusal
