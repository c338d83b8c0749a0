from __future__ import annotations

import asyncio

from pyzeebe.proto import gateway_pb2 as pb
from typing_extensions import override

from devstack.engine import (
    DEFAULT_TENANT,
    Engine,
    InstanceResult,
    JobRequest,
    Resource,
    StartedInstance,
)
from devstack.engine.state import ResultListener
from devstack.errors import (
    MalformedRequestError,
    RequestTimedOutError,
    UnsupportedError,
)
from devstack.gateway import messages
from devstack.gateway.dispatch import Dispatch
from devstack.gateway.documents import parse_variables
from devstack.gateway.refusals import Context, refusing
from devstack.gateway.tenants import Tenants
from devstack.gateway.unsupported import UnsupportedCalls
from devstack.waiting import within
from runtime.clock import Clock

LONG_POLL_S = 10.0
"""How long a request for jobs waits when it names no time; Zeebe's default."""

RESULT_S = 15.0
"""How long a request waits for a process to end when it names no time; Zeebe's default."""


class Servicer(UnsupportedCalls):
    """Carries out the calls of Zeebe's gateway service."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        tenants: Tenants,
        host: str,
        max_message_bytes: int,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._tenants = tenants
        self._host = host
        self._max_message_bytes = max_message_bytes
        self._dispatch = Dispatch(engine, clock)

    @override
    @refusing
    async def Topology(self, request: pb.TopologyRequest, context: Context) -> pb.TopologyResponse:
        version = f"{self._engine.version}.0"
        return messages.topology(self._engine.partitions, self._host, version)

    @override
    @refusing
    async def DeployResource(
        self,
        request: pb.DeployResourceRequest,
        context: Context,
    ) -> pb.DeployResourceResponse:
        tenant_id = self._tenants.one("DeployResource", request.tenantId)
        resources = [Resource(each.name, each.content) for each in request.resources]
        return messages.deployed(self._engine.deploy(resources, tenant_id))

    @override
    @refusing
    async def DeployProcess(
        self,
        request: pb.DeployProcessRequest,
        context: Context,
    ) -> pb.DeployProcessResponse:
        tenant_id = self._tenants.one("DeployProcess", DEFAULT_TENANT)
        resources = [Resource(each.name, each.definition) for each in request.processes]
        deployment = self._engine.deploy(resources, tenant_id)
        processes = [messages.process(each) for each in deployment.processes]
        return pb.DeployProcessResponse(key=deployment.key, processes=processes)

    @override
    @refusing
    async def CreateProcessInstance(
        self,
        request: pb.CreateProcessInstanceRequest,
        context: Context,
    ) -> pb.CreateProcessInstanceResponse:
        return messages.created(self._create("CreateProcessInstance", request, None))

    @override
    @refusing
    async def CreateProcessInstanceWithResult(
        self,
        request: pb.CreateProcessInstanceWithResultRequest,
        context: Context,
    ) -> pb.CreateProcessInstanceWithResultResponse:
        ended: asyncio.Future[InstanceResult] = asyncio.get_running_loop().create_future()

        def end(result: InstanceResult) -> None:
            # A canceled instance gives no answer: the caller's time runs out, as with Zeebe.
            if result.completed and not ended.done():
                ended.set_result(result)

        self._create("CreateProcessInstanceWithResult", request.request, end)
        delay_s = request.requestTimeout / 1000 if request.requestTimeout > 0 else RESULT_S
        if not await within(self._clock, delay_s, ended):
            raise RequestTimedOutError(
                f"Time out between gateway and broker: the process did not end within {delay_s} s",
            )
        return messages.ended(ended.result(), list(request.fetchVariables))

    def _create(
        self,
        call: str,
        request: pb.CreateProcessInstanceRequest,
        on_result: ResultListener | None,
    ) -> StartedInstance:
        if request.startInstructions:
            raise UnsupportedError("start instructions are not supported; start at the start event")
        return self._engine.create_instance(
            process_id=request.bpmnProcessId,
            version=request.version,
            definition_key=request.processDefinitionKey,
            variables=parse_variables(request.variables),
            tenant_id=self._tenants.one(call, request.tenantId),
            on_result=on_result,
        )

    @override
    @refusing
    async def CancelProcessInstance(
        self,
        request: pb.CancelProcessInstanceRequest,
        context: Context,
    ) -> pb.CancelProcessInstanceResponse:
        self._engine.cancel_instance(request.processInstanceKey)
        return pb.CancelProcessInstanceResponse()

    @override
    @refusing
    async def CompleteJob(
        self,
        request: pb.CompleteJobRequest,
        context: Context,
    ) -> pb.CompleteJobResponse:
        self._engine.complete_job(request.jobKey, parse_variables(request.variables))
        return pb.CompleteJobResponse()

    @override
    @refusing
    async def FailJob(self, request: pb.FailJobRequest, context: Context) -> pb.FailJobResponse:
        self._engine.fail_job(
            request.jobKey,
            retries=request.retries,
            message=request.errorMessage,
            backoff_ms=request.retryBackOff,
            variables=parse_variables(request.variables),
        )
        return pb.FailJobResponse()

    @override
    @refusing
    async def ThrowError(
        self,
        request: pb.ThrowErrorRequest,
        context: Context,
    ) -> pb.ThrowErrorResponse:
        self._engine.throw_error(
            request.jobKey,
            code=request.errorCode,
            message=request.errorMessage,
            variables=parse_variables(request.variables),
        )
        return pb.ThrowErrorResponse()

    @override
    @refusing
    async def UpdateJobRetries(
        self,
        request: pb.UpdateJobRetriesRequest,
        context: Context,
    ) -> pb.UpdateJobRetriesResponse:
        self._engine.update_job_retries(request.jobKey, request.retries)
        return pb.UpdateJobRetriesResponse()

    @override
    @refusing
    async def UpdateJobTimeout(
        self,
        request: pb.UpdateJobTimeoutRequest,
        context: Context,
    ) -> pb.UpdateJobTimeoutResponse:
        self._engine.update_job_timeout(request.jobKey, request.timeout)
        return pb.UpdateJobTimeoutResponse()

    @override
    @refusing
    async def ResolveIncident(
        self,
        request: pb.ResolveIncidentRequest,
        context: Context,
    ) -> pb.ResolveIncidentResponse:
        self._engine.resolve_incident(request.incidentKey)
        return pb.ResolveIncidentResponse()

    @override
    @refusing
    async def SetVariables(
        self,
        request: pb.SetVariablesRequest,
        context: Context,
    ) -> pb.SetVariablesResponse:
        variables = parse_variables(request.variables)
        key = self._engine.set_variables(
            request.elementInstanceKey,
            variables,
            local=request.local,
        )
        return pb.SetVariablesResponse(key=key)

    @override
    @refusing
    async def ActivateJobs(  # type: ignore[override] # it writes to the context, not an iterator
        self,
        request: pb.ActivateJobsRequest,
        context: Context,
    ) -> None:
        wanted = JobRequest(
            type=request.type,
            worker=request.worker,
            timeout_ms=request.timeout,
            max_jobs=request.maxJobsToActivate,
            fetch_variables=frozenset(request.fetchVariable),
            tenant_ids=self._tenants.several("ActivateJobs", request.tenantIds),
        )
        jobs = self._engine.activate_jobs(wanted)
        if not jobs and request.requestTimeout >= 0:
            jobs = await self._dispatch.wait(wanted, request.requestTimeout / 1000 or LONG_POLL_S)
        unsent = list(jobs)
        try:
            for batch, answer in messages.job_batches(jobs, self._max_message_bytes):
                await context.write(answer)
                del unsent[: len(batch)]
        finally:
            self._dispatch.hand_back(unsent)

    @override
    @refusing
    async def StreamActivatedJobs(  # type: ignore[override] # see ActivateJobs
        self,
        request: pb.StreamActivatedJobsRequest,
        context: Context,
    ) -> None:
        if not request.type.strip():
            raise MalformedRequestError(
                "Expected to stream activated jobs with type to be present, but it was blank",
            )
        if request.timeout < 1:
            raise MalformedRequestError(
                "Expected to stream activated jobs with timeout to be greater than zero, "
                f"but it was {request.timeout}",
            )
        wanted = JobRequest(
            type=request.type,
            worker=request.worker,
            timeout_ms=request.timeout,
            max_jobs=1,
            fetch_variables=frozenset(request.fetchVariable),
            tenant_ids=self._tenants.several("StreamActivatedJobs", request.tenantIds),
        )
        stream = self._dispatch.add_stream(wanted)
        try:
            # The headers tell the client that the stream stands before the first job comes up.
            await context.send_initial_metadata(())
            while True:
                await context.write(messages.activated_job(await stream.next()))
                stream.written()
        finally:
            self._dispatch.remove_stream(stream)
