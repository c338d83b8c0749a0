"""pyzeebe's own client and worker drive the cluster.

No postponed annotations here: pyzeebe looks at a handler's annotations as they are.
"""

import asyncio

import pytest
from pyzeebe import (
    Job,
    JobController,
    ZeebeClient,
    ZeebeWorker,
    create_insecure_channel,
)
from pyzeebe.errors import BusinessError, ProcessDefinitionNotFoundError

from tests.kit.waiting import PATIENCE_S


@pytest.mark.slow
@pytest.mark.parametrize("stream_enabled", [False, True], ids=["polls", "streams"])
async def test_pyzeebe_deploys_and_works(cluster, process_file, stream_enabled):
    """The library deploys, creates with result, completes, fails with back-off, and throws."""
    engine, port = cluster
    channel = create_insecure_channel(grpc_address=f"localhost:{port}")
    client = ZeebeClient(channel)
    worker = ZeebeWorker(channel, name="pyzeebe", stream_enabled=stream_enabled)
    failed: list[int] = []

    async def back_off(error: Exception, job: Job, controller: JobController) -> None:
        await controller.set_failure_status(str(error), retry_back_off_ms=100)

    @worker.task(task_type="completes")
    async def double(amount: int) -> dict:
        return {"doubled": amount * 2}

    @worker.task(task_type="fails", exception_handler=back_off)
    async def fail_once(job: Job) -> dict:
        failed.append(job.retries)
        if len(failed) == 1:
            raise ValueError("not yet")
        return {"retriesLeft": job.retries}

    @worker.task(task_type="throws")
    async def throw() -> None:
        raise BusinessError("E1", "as planned")

    @worker.task(task_type="streams")
    async def greet(job: Job) -> dict:
        return {"header": job.custom_headers["greeting"]}

    deployment = await client.deploy_resource(process_file)
    assert {each.bpmn_process_id for each in deployment.deployments} == {"foreign", "waits"}
    health = await client.healthcheck()
    assert health.status == 1
    topology = await client.topology()
    assert topology.partitions_count == 1

    working = asyncio.create_task(worker.work())
    result = await client.run_process_with_result(
        "foreign", variables={"amount": 21}, timeout=round(PATIENCE_S * 1000)
    )
    assert result.variables == {
        "amount": 21,
        "doubled": 42,
        "retriesLeft": 2,
        "header": "hello",
    }
    assert failed == [3, 2]

    instance = await client.run_process("waits")
    await client.cancel_process_instance(instance.process_instance_key)
    with pytest.raises(ProcessDefinitionNotFoundError):
        await client.run_process("unknown")
    await worker.stop()
    await asyncio.wait_for(working, PATIENCE_S)
    await channel.close()
    assert engine.remembers == 0
