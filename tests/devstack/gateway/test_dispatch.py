"""Jobs between the engine and those that wait for them: none is lost on the way."""

from __future__ import annotations

import asyncio

import pytest

from devstack.engine import JobRequest
from devstack.gateway.dispatch import Dispatch
from tests.kit import bpmn as b
from tests.kit.cluster import Cluster
from tests.kit.waiting import PATIENCE_S

_REQUEST = JobRequest("work", "w", timeout_ms=60_000, max_jobs=10)


@pytest.fixture
def cluster(clock) -> Cluster:
    cluster = Cluster(clock)
    cluster.deploy(b.bpmn(b.start(), b.service("t"), b.end(), b.chain("start", "t", "end")))
    return cluster


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_job_of_a_wait_that_is_cancelled_goes_back(cluster, clock):
    """A client that hangs up in the moment it is given a job leaves the job to the next one."""
    dispatch = Dispatch(cluster.engine, clock)
    waiting = asyncio.create_task(dispatch.wait(_REQUEST, 10))
    await _settle()
    cluster.start()
    [poll] = dispatch._polls["work"]
    while not poll.jobs.done():  # noqa: ASYNC110 - one turn of the loop more would be too late
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert cluster.intents("JOB") == ["CREATED", "YIELDED"]
    assert len(cluster.jobs()) == 1
    assert dispatch._polls == {}


async def test_job_handed_back_goes_to_who_waits(cluster, clock):
    """A job that one client did not take is given to another that waits, at once."""
    dispatch = Dispatch(cluster.engine, clock)
    cluster.start()
    given = cluster.jobs()
    waiting = asyncio.create_task(dispatch.wait(_REQUEST, 10))
    await _settle()
    dispatch.hand_back(given)
    async with asyncio.timeout(PATIENCE_S):
        [again] = await waiting
    assert again.job.key == given[0].job.key


async def test_wait_ends_with_its_time(cluster, clock):
    """Who waits in vain gets nothing when the time is over, and waits no more."""
    dispatch = Dispatch(cluster.engine, clock)
    waiting = asyncio.create_task(dispatch.wait(_REQUEST, 10))
    await clock.advance(9.9)
    assert not waiting.done()
    await clock.advance(0.2)
    assert await waiting == []
    assert dispatch._polls == {}


async def test_job_of_another_tenant_is_not_given(cluster, clock):
    """Who waits for another tenant's jobs goes on waiting."""
    dispatch = Dispatch(cluster.engine, clock)
    other = JobRequest("work", "w", timeout_ms=60_000, max_jobs=10, tenant_ids=("other",))
    stranger = asyncio.create_task(dispatch.wait(other, 10))
    owner = asyncio.create_task(dispatch.wait(_REQUEST, 10))
    stream = dispatch.add_stream(other)
    await _settle()
    cluster.start()
    async with asyncio.timeout(PATIENCE_S):
        assert len(await owner) == 1
    assert not stranger.done()
    assert not stream.waiting
    stranger.cancel()
    await asyncio.gather(stranger, return_exceptions=True)
