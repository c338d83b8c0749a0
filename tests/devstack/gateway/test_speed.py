"""How fast instances go through the gateway, and that ended ones cost no memory."""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc

import pytest
from pyzeebe.proto import gateway_pb2 as pb

from tests.kit import bpmn as b
from tests.kit.cluster import Cluster

ONE_TASK = b.bpmn(b.start(), b.service("t"), b.end(), b.chain("start", "t", "end"))


@pytest.mark.slow
async def test_thousand_instances_cost_less_than_ten_thousand_calls(served):
    """They start, are worked on by one worker and end: about a second, where 10 s are promised."""
    done = 0

    async def complete(job: pb.ActivatedJob) -> None:
        nonlocal done
        await served.call.CompleteJob(pb.CompleteJobRequest(jobKey=job.key, variables='{"r":1}'))
        done += 1

    async def work() -> None:
        while done < 1_000:
            jobs = await served.poll(maxJobsToActivate=64, requestTimeout=1_000)
            await asyncio.gather(*(complete(job) for job in jobs))

    began_s = time.process_time()
    working = asyncio.create_task(work())
    for _ in range(20):
        await asyncio.gather(*(served.start(variables='{"a":1}') for _ in range(50)))
    await working
    taken_s = time.process_time() - began_s
    began_s = time.process_time()
    for _ in range(20):
        await asyncio.gather(*(served.call.Topology(pb.TopologyRequest()) for _ in range(50)))
    calls_s = time.process_time() - began_s
    assert taken_s < 10 * calls_s
    assert served.cluster.remembers == 0


@pytest.mark.slow
def test_ended_instances_leave_nothing(clock):
    """An ended instance leaves less than 100 bytes in the engine."""
    cluster = Cluster(clock)
    cluster.deploy(ONE_TASK)

    def run(instances: int) -> None:
        for _ in range(instances):
            cluster.start(variables={"a": 1, "b": "x" * 50})
            cluster.complete(variables={"r": 2})
            cluster.forget()

    run(2_000)
    gc.collect()
    tracemalloc.start()
    try:
        run(5_000)
        gc.collect()
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept_bytes / 5_000 < 100
