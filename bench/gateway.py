"""A gateway with an endless backlog that forgets at once, in a process of its own.

    python -m bench.gateway VARIABLES_JSON HEADERS_JSON

It prints its port. Python's gRPC server is the ceiling of what is measured against it (some 3 000
jobs/s): compare the clients' CPU time a job, not their rates.
"""

from __future__ import annotations

import asyncio
import sys
import time
from itertools import count

import grpc.aio
from pyzeebe.proto import gateway_pb2 as pb
from pyzeebe.proto.gateway_pb2_grpc import GatewayServicer, add_GatewayServicer_to_server

_COMPLETED = pb.CompleteJobResponse()


class EndlessGateway(GatewayServicer):
    """Gives as many jobs as are asked for and takes every completion."""

    def __init__(self, variables: str, headers: str) -> None:
        self._keys = count(2_251_799_813_685_249)
        self._variables = variables
        self._headers = headers

    async def ActivateJobs(self, request, _context):  # type: ignore[no-untyped-def] # noqa: ANN201, ANN001, N802 - the protocol's name; its generated base has no types
        """Answer at once."""
        deadline_ms = time.time_ns() // 1_000_000 + request.timeout
        yield pb.ActivateJobsResponse(
            jobs=[
                pb.ActivatedJob(
                    key=next(self._keys),
                    type=request.type,
                    processInstanceKey=2_251_799_813_685_248,
                    bpmnProcessId="order",
                    processDefinitionVersion=1,
                    processDefinitionKey=2_251_799_813_685_240,
                    elementId="ask-operate",
                    elementInstanceKey=2_251_799_813_685_247,
                    customHeaders=self._headers,
                    worker=request.worker,
                    retries=3,
                    deadline=deadline_ms,
                    variables=self._variables,
                    tenantId="<default>",
                )
                for _ in range(request.maxJobsToActivate)
            ]
        )

    async def CompleteJob(self, _request, _context):  # type: ignore[no-untyped-def] # noqa: ANN201, ANN001, N802 - the protocol's name; its generated base has no types
        """Forget the job."""
        return _COMPLETED

    async def FailJob(self, _request, _context):  # type: ignore[no-untyped-def] # noqa: ANN201, ANN001, N802 - the protocol's name; its generated base has no types
        """Forget the job that a stopping worker hands back."""
        return pb.FailJobResponse()


async def _serve(variables: str, headers: str) -> None:
    server = grpc.aio.server()
    gateway = EndlessGateway(variables, headers)  # type: ignore[abstract] # the other calls are UNIMPLEMENTED
    add_GatewayServicer_to_server(gateway, server)
    port = server.add_insecure_port("localhost:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
