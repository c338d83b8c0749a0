from __future__ import annotations

import grpc
import pytest

from bpmn.demo.errors import StoryFailedError
from bpmn.demo.zeebe import Zeebe
from tests.kit.gateway import ScriptedGateway


@pytest.fixture
async def gateway():
    async with ScriptedGateway() as gateway:
        yield gateway


async def test_a_gateway_that_is_away_is_waited_for(gateway):
    """Whether the gateway answers is a question, not an error."""
    async with Zeebe(gateway.port) as zeebe:
        assert await zeebe.is_there()
        await gateway.stop()
        assert not await zeebe.is_there()


async def test_jobs_are_taken_completed_and_failed(gateway):
    """A failed job has no retries left, so that an incident comes of it."""
    good, bad = gateway.add_jobs(2, type="charge-card", variables='{"orderId":"A-1"}')
    async with Zeebe(gateway.port) as zeebe:
        jobs = await zeebe.jobs("charge-card", at_most=2)
        assert [job.key for job in jobs] == [good, bad]
        await zeebe.complete(jobs[0])
        await zeebe.fail(jobs[1], "The card was declined")
    (failed,) = gateway.requests("FailJob")
    assert (failed.jobKey, failed.retries, failed.errorMessage) == (bad, 0, "The card was declined")
    assert gateway.ended.keys() == {good, bad}


async def test_a_refusal_is_told(gateway, tmp_path):
    """The call, the status and the gateway's reason are in the message."""
    gateway.script.fail("ActivateJobs", grpc.StatusCode.INVALID_ARGUMENT, details="type was empty")
    async with Zeebe(gateway.port) as zeebe:
        with pytest.raises(
            StoryFailedError, match="refused ActivateJobs: INVALID_ARGUMENT type was empty"
        ):
            await zeebe.jobs("", at_most=1)
        diagram = tmp_path / "a.bpmn"
        diagram.write_text("<a/>")
        with pytest.raises(StoryFailedError, match="refused DeployResource: UNIMPLEMENTED"):
            await zeebe.deploy([diagram])
