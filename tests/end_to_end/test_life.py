"""The connector's life as a server: health, memory, a gateway that goes away, a stop under load."""

from __future__ import annotations

import asyncio
import os
import signal

import orjson
import psutil
import pytest

from devstack.engine import JobRequest
from devstack.faults import Delay
from tests.kit.connector_process import connector_process
from tests.kit.waiting import PATIENCE_S, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

# Two minutes is what the service promises to survive; CI takes a shorter look at the same thing.
OUTAGE_S = float(os.environ.get("OUTAGE_S", "12"))


async def test_a_stop_ends_the_program_with_exit_0(connector):
    """SIGTERM ends an idle connector at once, and as a success."""
    assert await connector.stop() == 0


async def test_ctrl_c_ends_the_program_with_exit_0(connector):
    """So does SIGINT."""
    connector.process.send_signal(signal.SIGINT)
    async with asyncio.timeout(PATIENCE_S):
        assert await connector.process.wait() == 0


async def test_the_management_port_tells_how_it_is(connector):
    """Health, readiness, metrics and status are there, under Camunda's paths as well."""
    for path in ("/livez", "/readyz", "/actuator/health/liveness", "/actuator/health/readiness"):
        await eventually_up(connector, path)
    _, metrics = await connector.get("/metrics")
    assert "camunda_client_worker_job_activated_total" in metrics
    _, status = await connector.get("/status.json")
    assert orjson.loads(status)["service"] == "operate-connector"
    _, page = await connector.get("/")
    assert "Last failed jobs" in page


async def eventually_up(connector, path):
    """Wait until a page answers 200."""
    await eventually_answers(connector, path, 200)


async def eventually_answers(connector, path, status):
    """Wait until a page answers with this status."""
    async with asyncio.timeout(PATIENCE_S):
        while (await connector.get(path))[0] != status:  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.05)


async def test_an_idle_connector_is_small(connector):
    """At rest the worker keeps within 80 MB."""
    await eventually_up(connector, "/readyz")
    assert psutil.Process(connector.process.pid).memory_info().rss < 80 * 1024 * 1024


async def test_readiness_says_why_while_the_gateway_is_away(stack, connector):
    """A gateway that is down shows in /readyz with its reason, never in /livez."""
    await eventually_up(connector, "/readyz")
    await stack.gateway.stop()
    await eventually_answers(connector, "/readyz", 503)
    _, body = await connector.get("/readyz")
    assert "gateway" in orjson.loads(body)["reasons"]
    assert (await connector.get("/livez"))[0] == 200


async def test_no_job_is_lost_while_the_gateway_comes_and_goes(stack, story, connector):
    """Under load, with a gateway that is cut off again and again, every instance ends."""
    story.deploy(resultExpression="={total: response.body.total}", retries="3")
    port = int(stack.grpc_address.rpartition(":")[2])
    loop = asyncio.get_running_loop()
    until_s = loop.time() + OUTAGE_S
    ends = []
    while loop.time() < until_s:
        ends += [story.begin()[1] for _ in range(20)]
        await asyncio.sleep(0.2)
        await stack.gateway.stop()
        ends += [story.begin()[1] for _ in range(5)]
        await asyncio.sleep(0.3)
        await stack.gateway.start(port)
    async with asyncio.timeout(PATIENCE_S):
        results = await asyncio.gather(*ends)
    assert all(result.completed for result in results)
    assert story.incidents == {}


async def test_work_resumes_within_5_s_of_the_gateways_return(stack, story, connector):
    """The next job is done long before as much time again has passed as the gateway was away.

    Waits that went on doubling would be as long as that; those of ours end at 2 s.
    """
    story.deploy(resultExpression="={total: response.body.total}")
    port = int(stack.grpc_address.rpartition(":")[2])
    loop = asyncio.get_running_loop()
    gone_s = loop.time()
    await stack.gateway.stop()
    await asyncio.sleep(OUTAGE_S)
    _, ended = story.begin()
    await stack.gateway.start(port)
    back_s = loop.time()
    async with asyncio.timeout(PATIENCE_S):
        await ended
    assert loop.time() - back_s < back_s - gone_s


async def test_a_stop_under_load_leaves_no_job_waiting_for_its_time_out(stack, story, environ):
    """What is not finished when the drain is over can be taken by another worker at once."""
    story.deploy(resultExpression="={total: response.body.total}", retries="3")
    stack.faults["operate"].add(Delay(delay_s=3600, times=300))
    limits = {"CONNECTOR_DRAIN_DEADLINE": "PT1S", "CONNECTOR_MAX_JOBS_ACTIVE": "40"}
    async with connector_process({**environ, **limits}) as connector:
        for _ in range(100):
            story.begin(timeoutSeconds=3600)
        await eventually(lambda: stack.faults["operate"].waiting[0].times <= 260)
        assert await connector.stop() == 0
    stack.faults["operate"].clear()
    waiting = stack.engine.activate_jobs(
        JobRequest(type="operate-connector:1", worker="next", max_jobs=200, timeout_ms=60_000)
    )
    assert len(waiting) == 100
    assert {job.retries for job in waiting} == {3}


async def test_jobs_in_hand_are_finished_before_the_program_ends(stack, story, environ):
    """A job that is nearly done when the stop comes is done, not handed back."""
    story.deploy(resultExpression="={total: response.body.total}")
    stack.faults["operate"].add(Delay(delay_s=1.5, times=10))
    async with connector_process(environ) as connector:
        ends = [story.begin()[1] for _ in range(10)]
        await eventually(lambda: not stack.faults["operate"].waiting)
        assert await connector.stop() == 0
    results = await asyncio.gather(*ends)
    assert all(result.completed for result in results)
