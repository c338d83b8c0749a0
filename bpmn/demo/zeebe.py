from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import grpc
import grpc.aio
import orjson
from pyzeebe.proto import gateway_pb2 as pb
from pyzeebe.proto.gateway_pb2_grpc import GatewayStub

from bpmn.demo.errors import StoryFailedError

_DEADLINE_S: Final = 60.0
_JOB_TIMEOUT_MS: Final = 60_000
_LONG_POLL_MS: Final = 5_000


class Zeebe:
    """What the demo says to the gateway, over gRPC.

    Use it as an async context manager. A call that the gateway refuses raises `StoryFailedError`.
    """

    def __init__(self, port: int) -> None:
        no_proxy = [("grpc.enable_http_proxy", 0)]
        self._channel = grpc.aio.insecure_channel(f"localhost:{port}", options=no_proxy)
        # The generated types speak of the synchronous API; the channel decides which it is.
        self._stub: Any = GatewayStub(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._channel.close()

    async def is_there(self) -> bool:
        """Whether the gateway answers."""
        try:
            await self._stub.Topology(pb.TopologyRequest(), timeout=_DEADLINE_S)
        except grpc.aio.AioRpcError:
            return False
        return True

    async def deploy(self, files: Sequence[Path]) -> list[str]:
        """Deploy diagrams and forms together; gives the ids of the processes."""
        resources = [pb.Resource(name=file.name, content=file.read_bytes()) for file in files]
        answer = await self._call("DeployResource", pb.DeployResourceRequest(resources=resources))
        deployed = (each.process.bpmnProcessId for each in answer.deployments)
        return [process_id for process_id in deployed if process_id]

    async def start(self, process_id: str, variables: Mapping[str, object]) -> int:
        """Start an instance of a process's newest version; gives its key."""
        request = pb.CreateProcessInstanceRequest(
            bpmnProcessId=process_id,
            version=-1,
            variables=orjson.dumps(variables).decode(),
        )
        answer = await self._call("CreateProcessInstance", request)
        return int(answer.processInstanceKey)

    async def jobs(self, job_type: str, at_most: int) -> list[pb.ActivatedJob]:
        """Take over jobs of a type; waits a while for the first."""
        request = pb.ActivateJobsRequest(
            type=job_type,
            worker="demo",
            timeout=_JOB_TIMEOUT_MS,
            maxJobsToActivate=at_most,
            requestTimeout=_LONG_POLL_MS,
        )
        try:
            stream = self._stub.ActivateJobs(request, timeout=_DEADLINE_S)
            return [job async for answer in stream for job in answer.jobs]
        except grpc.aio.AioRpcError as error:
            raise _refused("ActivateJobs", error) from error

    async def complete(self, job: pb.ActivatedJob) -> None:
        """Say that a job is done."""
        await self._call("CompleteJob", pb.CompleteJobRequest(jobKey=job.key, variables="{}"))

    async def fail(self, job: pb.ActivatedJob, reason: str) -> None:
        """Say that a job cannot be done, and is not to be tried again: this raises an incident."""
        request = pb.FailJobRequest(jobKey=job.key, retries=0, errorMessage=reason)
        await self._call("FailJob", request)

    async def _call(self, name: str, request: Any) -> Any:  # noqa: ANN401 - one for each rpc
        try:
            return await getattr(self._stub, name)(request, timeout=_DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            raise _refused(name, error) from error


def _refused(name: str, error: grpc.aio.AioRpcError) -> StoryFailedError:
    return StoryFailedError(f"the gateway refused {name}: {error.code().name} {error.details()}")
