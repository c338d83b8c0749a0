"""The cluster for tests of workers: what it gives, and what it says when nothing comes."""

from __future__ import annotations

import asyncio
import socket
import sys
import textwrap

import aiohttp
import grpc
import pytest
from pyzeebe.proto.gateway_pb2 import (
    ActivateJobsRequest,
    CompleteJobRequest,
    FailJobRequest,
)
from pyzeebe.proto.gateway_pb2_grpc import GatewayStub

from devstack.errors import InvalidArgumentError, NotFoundError
from devstack.faults import Status
from devstack.stack import StackOptions
from devstack.testing import (
    EmbeddedCluster,
    InstanceNotEndedError,
    InstanceStuckError,
    WorkerFailedError,
)
from tests.kit.modeler import ROOT
from tests.kit.user_task import APPROVAL

pytest_plugins = ["devstack.pytest_plugin"]

ORDER = ROOT / "bpmn" / "examples" / "order.bpmn"
VARIABLES = {"orderId": "A-1", "total": 42}


async def work_on(address, *, is_failing=False):
    """A worker for one job type, as short as one can be."""
    async with grpc.aio.insecure_channel(address) as channel:
        gateway = GatewayStub(channel)
        request = ActivateJobsRequest(
            type="charge-card",
            worker="test",
            timeout=60_000,
            maxJobsToActivate=1,
            requestTimeout=10_000,
        )
        while True:
            async for answer in gateway.ActivateJobs(request):
                for job in answer.jobs:
                    if is_failing:
                        failure = FailJobRequest(jobKey=job.key, errorMessage="declined")
                        await gateway.FailJob(failure)
                    else:
                        done = CompleteJobRequest(jobKey=job.key, variables='{"paid": true}')
                        await gateway.CompleteJob(done)


def test_a_worker_in_a_thread_is_tested_with_plain_calls(camunda):
    """Deployed, started and waited for; variables and the way through the process are there."""
    with camunda.worker(lambda: work_on(camunda.grpc_address)):
        ended = camunda.run(ORDER, VARIABLES)
    assert (ended.state, ended.process_id, ended.is_ended) == ("COMPLETED", "order", True)
    assert ended.variables["paid"] is True
    assert ended.completed[0] == "StartEvent_Placed"
    assert (ended.active, ended.incidents) == ((), ())


async def test_an_async_test_waits_in_a_thread(camunda):
    """A worker in the test's own loop goes on while the test waits."""
    worker = asyncio.create_task(work_on(camunda.grpc_address))
    ended = await asyncio.to_thread(camunda.run, ORDER, VARIABLES)
    worker.cancel()
    assert ended.state == "COMPLETED"


@pytest.mark.slow
def test_a_program_is_told_where_the_cluster_is(camunda, tmp_path):
    """A worker that is a program of its own gets the address in its environment."""
    program = tmp_path / "worker.py"
    program.write_text(
        textwrap.dedent("""
            import asyncio, os
            from pyzeebe import ZeebeWorker, create_insecure_channel

            async def main():
                worker = ZeebeWorker(create_insecure_channel(os.environ["ZEEBE_ADDRESS"]))

                @worker.task(task_type="charge-card")
                async def charge(total: int) -> dict:
                    return {"paid": True}

                await worker.work()

            asyncio.run(main())
        """),
    )
    with camunda.program(sys.executable, str(program)):
        assert camunda.run(ORDER, VARIABLES).variables["paid"] is True


def test_an_instance_that_waits_says_where(camunda):
    """Nobody works: the message names the element."""
    with pytest.raises(InstanceNotEndedError, match="stands at Task_ChargeCard after 0 s"):
        camunda.run(ORDER, VARIABLES, timeout_s=0)


def test_an_incident_ends_the_wait(camunda):
    """The message is the incident's."""
    with (
        camunda.worker(lambda: work_on(camunda.grpc_address, is_failing=True)),
        pytest.raises(InstanceStuckError, match="Task_ChargeCard: declined"),
    ):
        camunda.run(ORDER, VARIABLES)


def test_a_worker_that_fails_ends_the_wait(camunda):
    """The test does not wait for a worker that is gone, and sees its error."""

    async def broken():
        raise KeyError("total")

    with (
        pytest.raises(WorkerFailedError, match="raised an error") as failed,
        camunda.worker(broken),
    ):
        camunda.run(ORDER, VARIABLES)
    assert isinstance(failed.value.__cause__, KeyError)


def test_a_worker_that_returns_is_a_failure_too(camunda):
    """A worker is there until it is stopped."""

    async def brief():
        return

    with pytest.raises(WorkerFailedError, match="returned"), camunda.worker(brief):
        camunda.run(ORDER, VARIABLES)


def test_a_program_that_ends_is_a_failure(camunda):
    """Its exit code is named."""
    command = (sys.executable, "-c", "raise SystemExit(3)")
    with pytest.raises(WorkerFailedError, match="exit code 3"), camunda.program(*command):
        camunda.run(ORDER, VARIABLES)


def test_a_user_task_is_completed_by_its_instance(camunda, tmp_path):
    """The test needs no key of the task; without an open task it is told so."""
    (tmp_path / "approval.bpmn").write_text(APPROVAL)
    camunda.deploy(tmp_path / "approval.bpmn")
    key = camunda.start("approval")
    assert camunda.instance(key).active == ("approve",)
    camunda.complete_user_task(key, {"approved": True})
    assert camunda.wait(key).variables == {"approved": True}
    with pytest.raises(NotFoundError, match="no open user task"):
        camunda.complete_user_task(key)


def test_what_the_cluster_refuses_is_raised(camunda, tmp_path):
    """The engine's own errors reach the test."""
    (tmp_path / "broken.bpmn").write_text("<bpmn")
    with pytest.raises(InvalidArgumentError):
        camunda.deploy(tmp_path / "broken.bpmn")
    with pytest.raises(NotFoundError):
        camunda.start("nothing")


async def test_everything_else_is_called_in_the_clusters_thread(camunda):
    """A fault is planned from the test and met by a client."""
    camunda.call(lambda stack: stack.faults["orchestration"].add(Status(status=503)))
    async with aiohttp.ClientSession() as session, session.get(camunda.http_url) as response:
        assert response.status == 503


def test_a_cluster_that_is_not_running_says_so():
    """Calls need the block."""
    with EmbeddedCluster.running(StackOptions(port_base=0)) as camunda:
        assert camunda.token_url.startswith("http://localhost:")
    with pytest.raises(RuntimeError):
        camunda.start("order")


def test_a_wait_outlasts_the_read_delay():
    """An instance that does not show yet is waited for, as one that runs."""
    options = StackOptions(port_base=0, read_delay_s=0.3)
    with EmbeddedCluster.running(options) as camunda:
        camunda.deploy(ORDER)
        key = camunda.start("order", VARIABLES)
        with pytest.raises(InstanceNotEndedError, match="stands nowhere yet"):
            camunda.wait(key, timeout_s=0)
        with camunda.worker(lambda: work_on(camunda.grpc_address)):
            assert camunda.wait(key).state == "COMPLETED"


def test_a_taken_port_is_told():
    """The start fails with the reason."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        options = StackOptions(port_base=taken.getsockname()[1])
        with (
            pytest.raises(OSError, match=r"listen|already in use"),
            EmbeddedCluster.running(options),
        ):
            pass
