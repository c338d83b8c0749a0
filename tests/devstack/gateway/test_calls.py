"""The gateway's calls, each over a real socket."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pyzeebe.proto import gateway_pb2 as pb

from tests.kit import bpmn as b


async def test_topology(serve):
    """The cluster is one broker that leads every partition."""
    async with serve(engine={"partitions": 3, "version": "8.7"}) as served:
        topology = await served.call.Topology(pb.TopologyRequest())
    [broker] = topology.brokers
    assert [each.partitionId for each in broker.partitions] == [1, 2, 3]
    assert topology.partitionsCount == 3
    assert topology.gatewayVersion == "8.7.0"


async def test_health(served):
    """The health service says that the gateway serves."""
    stub = health_pb2_grpc.HealthStub(served.channel)
    for service in ("", "gateway_protocol.Gateway"):
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_deploy_resource(served):
    """A deployment answers with each process and form, their keys and versions."""
    answer = await served.call.DeployResource(
        pb.DeployResourceRequest(
            resources=[
                pb.Resource(
                    name="q.bpmn",
                    content=b.bpmn(b.start(), b.end(), b.chain("start", "end"), id="q"),
                ),
                pb.Resource(name="f.form", content=b'{"id": "f"}'),
            ],
        ),
    )
    process, form = answer.deployments
    assert process.process.bpmnProcessId == "q"
    assert process.process.version == 1
    assert process.process.resourceName == "q.bpmn"
    assert form.form.formId == "f"
    assert answer.tenantId == "<default>"


async def test_deploy_process(served):
    """The older call deploys too."""
    definition = b.bpmn(b.start(), b.end(), b.chain("start", "end"), id="q")
    answer = await served.call.DeployProcess(
        pb.DeployProcessRequest(
            processes=[pb.ProcessRequestObject(name="q.bpmn", definition=definition)]
        ),
    )
    assert [each.bpmnProcessId for each in answer.processes] == ["q"]


async def test_job_from_start_to_end(served):
    """A job given out carries everything a worker needs, and completing it ends the process."""
    key = await served.start(variables='{"a": [1, {"b": null}]}')
    [job] = await served.poll()
    assert job.processInstanceKey == key
    assert job.bpmnProcessId == "p"
    assert job.elementId == "t"
    assert job.retries == 3
    assert job.worker == "w"
    assert job.customHeaders == "{}"
    assert orjson.loads(job.variables) == {"a": [1, {"b": None}]}
    assert job.tenantId == "<default>"
    await served.call.CompleteJob(pb.CompleteJobRequest(jobKey=job.key, variables='{"r": 1}'))
    assert served.cluster.has_ended(key)


async def test_process_with_result(served):
    """The answer comes when the process has ended, with the variables that were asked for."""
    request = pb.CreateProcessInstanceWithResultRequest(
        request=pb.CreateProcessInstanceRequest(bpmnProcessId="p", version=-1, variables='{"a":1}'),
        requestTimeout=10_000,
        fetchVariables=["r"],
    )
    answer = asyncio.ensure_future(served.call.CreateProcessInstanceWithResult(request))
    [job] = await served.poll(requestTimeout=5_000)
    await served.call.CompleteJob(pb.CompleteJobRequest(jobKey=job.key, variables='{"r": 2}'))
    result = await answer
    assert result.variables == '{"r":2}'
    assert result.processInstanceKey == job.processInstanceKey


async def test_result_that_does_not_come_in_time(served, refused):
    """A process that goes on longer than the caller waits is answered with DEADLINE_EXCEEDED."""
    request = pb.CreateProcessInstanceWithResultRequest(
        request=pb.CreateProcessInstanceRequest(bpmnProcessId="p", version=-1),
        requestTimeout=50,
    )
    code, _ = await refused(served.call.CreateProcessInstanceWithResult(request))
    assert code is StatusCode.DEADLINE_EXCEEDED
    [job] = await served.poll()
    await served.call.CompleteJob(pb.CompleteJobRequest(jobKey=job.key))


async def test_fail_update_and_resolve(served):
    """A job out of retries is brought back by new retries and the incident's resolution."""
    key = await served.start()
    [job] = await served.poll()
    await served.call.FailJob(
        pb.FailJobRequest(jobKey=job.key, retries=0, errorMessage="no", variables='{"v": 1}'),
    )
    [incident] = served.cluster.incidents()
    await served.call.UpdateJobRetries(pb.UpdateJobRetriesRequest(jobKey=job.key, retries=2))
    await served.call.ResolveIncident(pb.ResolveIncidentRequest(incidentKey=incident.key))
    [again] = await served.poll()
    assert again.retries == 2
    assert orjson.loads(again.variables) == {"v": 1}
    await served.call.UpdateJobTimeout(pb.UpdateJobTimeoutRequest(jobKey=job.key, timeout=1000))
    await served.call.CompleteJob(pb.CompleteJobRequest(jobKey=job.key))
    assert served.cluster.has_ended(key)


async def test_set_variables_cancel_and_throw(served):
    """Variables are set, an error is thrown, an instance is canceled."""
    key = await served.start()
    answer = await served.call.SetVariables(
        pb.SetVariablesRequest(elementInstanceKey=key, variables='{"v": 5}'),
    )
    assert answer.key > key
    [job] = await served.poll()
    assert orjson.loads(job.variables) == {"v": 5}
    await served.call.ThrowError(pb.ThrowErrorRequest(jobKey=job.key, errorCode="e"))
    [incident] = served.cluster.incidents()
    assert incident.value["errorType"] == "UNHANDLED_ERROR_EVENT"
    await served.call.CancelProcessInstance(
        pb.CancelProcessInstanceRequest(processInstanceKey=key),
    )
    assert served.cluster.trace("p")[-1] == "TERMINATED"


_REFUSALS = {
    "unknown-job": (
        "CompleteJob",
        pb.CompleteJobRequest(jobKey=5),
        StatusCode.NOT_FOUND,
        "Command 'COMPLETE' rejected with code 'NOT_FOUND': Expected to complete job with key '5', "
        "but no such job was found",
    ),
    "fail-unknown-job": (
        "FailJob",
        pb.FailJobRequest(jobKey=5, retries=1),
        StatusCode.NOT_FOUND,
        "Command 'FAIL' rejected with code 'NOT_FOUND': Expected to fail job with key '5', "
        "but no such job was found",
    ),
    "throw-unknown-job": (
        "ThrowError",
        pb.ThrowErrorRequest(jobKey=5, errorCode="e"),
        StatusCode.NOT_FOUND,
        "Command 'THROW_ERROR' rejected with code 'NOT_FOUND': Expected to throw an error for job "
        "with key '5', but no such job was found",
    ),
    "retries-of-unknown-job": (
        "UpdateJobRetries",
        pb.UpdateJobRetriesRequest(jobKey=5, retries=1),
        StatusCode.NOT_FOUND,
        "Command 'UPDATE_RETRIES' rejected with code 'NOT_FOUND': Expected to update job with key "
        "'5', but no such job was found",
    ),
    "unknown-incident": (
        "ResolveIncident",
        pb.ResolveIncidentRequest(incidentKey=5),
        StatusCode.NOT_FOUND,
        "Command 'RESOLVE' rejected with code 'NOT_FOUND': Expected to resolve incident with key "
        "'5', but no such incident was found",
    ),
    "unknown-instance": (
        "CancelProcessInstance",
        pb.CancelProcessInstanceRequest(processInstanceKey=5),
        StatusCode.NOT_FOUND,
        "Command 'CANCEL' rejected with code 'NOT_FOUND': Expected to cancel a process instance "
        "with key '5', but no such process was found",
    ),
    "unknown-scope": (
        "SetVariables",
        pb.SetVariablesRequest(elementInstanceKey=5, variables="{}"),
        StatusCode.NOT_FOUND,
        "Command 'UPDATE' rejected with code 'NOT_FOUND': Expected to update variables for element "
        "with key '5', but no such element was found",
    ),
    "unknown-process": (
        "CreateProcessInstance",
        pb.CreateProcessInstanceRequest(bpmnProcessId="x", version=-1),
        StatusCode.NOT_FOUND,
        "Command 'CREATE' rejected with code 'NOT_FOUND': Expected to find process definition with "
        "process ID 'x', but none found",
    ),
    "variables-array": (
        "CreateProcessInstance",
        pb.CreateProcessInstanceRequest(bpmnProcessId="p", version=-1, variables="[1]"),
        StatusCode.INVALID_ARGUMENT,
        "Property 'variables' is invalid: Expected document to be a root level object, but was "
        "'ARRAY'",
    ),
    "variables-text": (
        "CompleteJob",
        pb.CompleteJobRequest(jobKey=5, variables='"x"'),
        StatusCode.INVALID_ARGUMENT,
        "Property 'variables' is invalid: Expected document to be a root level object, but was "
        "'STRING'",
    ),
    "message": (
        "PublishMessage",
        pb.PublishMessageRequest(name="m"),
        StatusCode.UNIMPLEMENTED,
        "messages are not supported by devstack",
    ),
    "signal": (
        "BroadcastSignal",
        pb.BroadcastSignalRequest(signalName="s"),
        StatusCode.UNIMPLEMENTED,
        "signals are not supported by devstack",
    ),
}


@pytest.mark.parametrize("case", _REFUSALS.values(), ids=_REFUSALS)
async def test_refusals_have_zeebes_status_and_words(served, refused, case):
    """What cannot be done is answered as a real gateway answers it."""
    call, request, status, message = case
    assert await refused(getattr(served.call, call)(request)) == (status, message)


async def test_variables_that_are_no_json(served, refused):
    """Broken JSON is refused with the place where it breaks, not with its content."""
    request = pb.CreateProcessInstanceRequest(
        bpmnProcessId="p", version=-1, variables='{"secret": oops}'
    )
    code, message = await refused(served.call.CreateProcessInstance(request))
    assert code is StatusCode.INVALID_ARGUMENT
    assert "line 1, column 12" in message
    assert "secret" not in message


@pytest.mark.parametrize("text", ["", "  ", "\n", "null"])
async def test_no_variables_at_all(served, text):
    """Blank text and null are no variables, as in Zeebe's gateway."""
    key = await served.start(variables=text)
    assert served.cluster.variables(key) == {}


@pytest.mark.parametrize("depth", [100, 200, 300, 1_000, 100_000])
async def test_deeply_nested_variables(served, refused, depth):
    """Variables of some depth pass; deeper ones are refused, and the server goes on."""
    variables = '{"a":' + "[" * depth + "]" * depth + "}"
    if depth < 250:
        assert await served.start(variables=variables) > 0
    else:
        code, message = await refused(served.start(variables=variables))
        assert code is StatusCode.INVALID_ARGUMENT
        assert message.startswith(("Property 'variables' is invalid: ", "Invalid JSON value: "))
    await served.call.Topology(pb.TopologyRequest())


async def test_bad_bpmn_is_refused_with_its_reasons(served, refused):
    """A modeller sees file, element and reason."""
    content = b.bpmn(
        b.start(), b.node("receiveTask", "wait-for-it"), b.chain("start", "wait-for-it")
    )
    request = pb.DeployResourceRequest(resources=[pb.Resource(name="x.bpmn", content=content)])
    code, message = await refused(served.call.DeployResource(request))
    assert code is StatusCode.INVALID_ARGUMENT
    assert message.startswith(
        "Command 'CREATE' rejected with code 'INVALID_ARGUMENT': Expected to deploy new resources, "
        "but encountered the following errors:\n'x.bpmn': - Element: wait-for-it\n    - ERROR: ",
    )


async def test_failed_job_cannot_be_completed(served, refused):
    """A job out of retries is in the wrong state: FAILED_PRECONDITION."""
    await served.start()
    [job] = await served.poll()
    await served.call.FailJob(pb.FailJobRequest(jobKey=job.key, retries=0))
    code, message = await refused(served.call.CompleteJob(pb.CompleteJobRequest(jobKey=job.key)))
    assert code is StatusCode.FAILED_PRECONDITION
    assert message == (
        "Command 'COMPLETE' rejected with code 'INVALID_STATE': Expected to complete job with key "
        f"'{job.key}', but it is in state 'FAILED'"
    )


async def test_negative_retries(served, refused):
    """Retries that are not positive cannot be set: INVALID_ARGUMENT."""
    await served.start()
    [job] = await served.poll()
    request = pb.UpdateJobRetriesRequest(jobKey=job.key, retries=-1)
    code, message = await refused(served.call.UpdateJobRetries(request))
    assert code is StatusCode.INVALID_ARGUMENT
    assert message.endswith("the amount given was '-1'")


async def test_too_large_request(serve, refused):
    """A request larger than a message may be is refused before it is read."""
    async with serve(max_message_bytes=10_000) as served:
        variables = orjson.dumps({"x": "y" * 20_000}).decode()
        request = pb.CreateProcessInstanceRequest(
            bpmnProcessId="p", version=-1, variables=variables
        )
        code, _ = await refused(served.call.CreateProcessInstance(request))
    assert code is StatusCode.RESOURCE_EXHAUSTED
