from __future__ import annotations

import asyncio
import socket

import grpc
import pytest
import trustme

from tests.kit.gateway import ScriptedGateway
from tests.kit.waiting import PATIENCE_S
from tests.worker.test_requests import OPTIONS
from worker import errors
from worker.gateway import Gateway, Topology
from worker.outcome import Complete


class Tokens:
    """Credentials whose next token the test decides; a refused one is dropped."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.refused: list[tuple[tuple[str, str], ...]] = []

    async def metadata(self):
        if not self.tokens:
            raise RuntimeError("canary: no token to be had")
        return (("authorization", f"Bearer {self.tokens[0]}"),)

    def rejected(self, metadata):
        self.refused.append(tuple(metadata))
        if len(self.tokens) > 1:
            self.tokens.pop(0)


async def _one_job(client: Gateway, gateway: ScriptedGateway):
    gateway.add_jobs(1)
    call = await client.activate(OPTIONS, 1, -1)
    [job] = await call.read()
    assert await call.read() is None
    return job


async def test_topology_says_who_answers(gateway):
    """Version, brokers and partitions come from the gateway."""
    async with Gateway(gateway.address) as client:
        assert await client.topology() == Topology("8.8.0", 1, 3)


async def test_a_gateway_that_is_away_is_named(gateway):
    """A refused connection is an `Unavailable` that holds the address and the reason."""
    await gateway.stop()
    async with Gateway(gateway.address) as client:
        with pytest.raises(errors.Unavailable, match=f"localhost:{gateway.port}.*refused"):
            await client.topology()


async def test_a_gateway_that_does_not_answer_is_a_time_out(gateway):
    """A call without an answer ends at its deadline."""
    gateway.script.hold("Topology")
    async with Gateway(gateway.address) as client:
        with pytest.raises(errors.TimedOut):
            await client.topology(timeout_s=0.05)
    gateway.script.hold("Topology").set()


async def test_every_call_carries_the_token_on_plaintext(gateway):
    """The token goes as call metadata, which needs no TLS."""
    gateway.token = "right"
    async with Gateway(gateway.address, credentials=Tokens("right")) as client:
        await client.topology()
        job = await _one_job(client, gateway)
        await client.update_job_timeout(job, 1000)
        await client.send(job, Complete(), timeout_s=PATIENCE_S)
    assert {call.metadata["authorization"] for call in gateway.received} == {"Bearer right"}
    assert len(gateway.received) == 4


def _on_tls(authority: trustme.CA, **options) -> ScriptedGateway:
    """A gateway with a certificate that `authority` has signed."""
    leaf = authority.issue_cert("localhost")
    gateway = ScriptedGateway(**options)
    pair = (leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes())
    gateway.tls = grpc.ssl_server_credentials([pair])
    return gateway


async def test_the_token_goes_over_tls_to_a_gateway_of_ones_own_authority(tmp_path):
    """An https address with a CA file works with a certificate unknown to the system."""
    authority = trustme.CA()
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    async with (
        _on_tls(authority, token="right") as gateway,
        Gateway(gateway.address, credentials=Tokens("right"), ca_file=ca_file) as client,
    ):
        assert (await client.topology()).gateway_version == "8.8.0"


async def test_a_certificate_of_an_unknown_authority_is_refused():
    """Without the CA file the system's authorities decide, and the message tells what failed."""
    async with _on_tls(trustme.CA()) as gateway, Gateway(gateway.address) as client:
        with pytest.raises(errors.Unavailable, match=r"(?i)certificate"):
            await client.topology()


async def test_a_ca_file_that_is_not_there_is_told_at_once(tmp_path):
    """A wrong path shows when the gateway is set up, not as a connection that never comes."""
    with pytest.raises(FileNotFoundError):
        Gateway("https://localhost:1", ca_file=tmp_path / "none.pem")


async def test_a_refused_token_is_reported_so_that_it_is_dropped(gateway):
    """UNAUTHENTICATED names the very metadata that was refused; the next call takes new ones."""
    gateway.token = "new"
    tokens = Tokens("old", "new")
    async with Gateway(gateway.address, credentials=tokens) as client:
        with pytest.raises(errors.Unauthenticated):
            await client.topology()
        assert tokens.refused == [(("authorization", "Bearer old"),)]
        assert await client.topology()


async def test_a_refused_poll_reports_its_token_too(gateway):
    """Polls and streams drop a refused token as commands do."""
    gateway.token = "new"
    tokens = Tokens("old", "older", "new")
    async with Gateway(gateway.address, credentials=tokens) as client:
        poll = await client.activate(OPTIONS, 1, -1)
        with pytest.raises(errors.Unauthenticated):
            await poll.read()
        stream = await client.stream(OPTIONS)
        with pytest.raises(errors.Unauthenticated):
            await stream.read()
    assert [fields[0][1] for fields in tokens.refused] == ["Bearer old", "Bearer older"]


async def test_no_token_means_no_call(gateway):
    """Credentials that fail are a retryable error that names the exception, not its text."""
    async with Gateway(gateway.address, credentials=Tokens()) as client:
        with pytest.raises(errors.CredentialsMissing, match="RuntimeError") as caught:
            await client.topology()
    assert "canary" not in str(caught.value)
    assert isinstance(caught.value, errors.Retryable)
    assert gateway.received == []


async def test_an_extended_job_has_its_new_deadline(gateway):
    """After UpdateJobTimeout the new deadline is in the job given back and in the books."""
    async with Gateway(gateway.address) as client:
        job = await _one_job(client, gateway)
        extended = await client.update_job_timeout(job, 3_600_000)
        assert extended.deadline_ms > job.deadline_ms + 3_000_000
        assert client.deadlines.of(job) == extended.deadline_ms
        client.deadlines.forget(job)
        assert client.deadlines.of(job) == job.deadline_ms
    [request] = gateway.requests("UpdateJobTimeout")
    assert (request.jobKey, request.timeout) == (job.key, 3_600_000)


async def test_a_job_that_is_gone_cannot_be_extended(gateway):
    """NOT_FOUND is `JobGone`, and the deadline stays."""
    async with Gateway(gateway.address) as client:
        job = await _one_job(client, gateway)
        gateway.held.clear()
        with pytest.raises(errors.JobGone):
            await client.update_job_timeout(job, 1000)
        assert client.deadlines.of(job) == job.deadline_ms


async def test_an_outcome_that_is_no_command_is_rejected_before_it_is_sent(gateway):
    """Bytes that are no UTF-8 never reach the wire."""
    async with Gateway(gateway.address) as client:
        job = await _one_job(client, gateway)
        with pytest.raises(errors.Rejected, match="UTF-8"):
            await client.send(job, Complete(b"\xff"), timeout_s=PATIENCE_S)
    assert gateway.calls("CompleteJob") == []


async def test_an_answer_that_arrived_before_a_cancel_is_kept(gateway):
    """Jobs that are on our side when a poll is cancelled come out of it; then it just ends."""
    gate = gateway.script.hold("ActivateJobs")
    async with Gateway(gateway.address) as client:
        call = await client.activate(OPTIONS, 1, 1000)
        reading = asyncio.create_task(call.read())
        await gateway.until_called("ActivateJobs")
        gateway.add_jobs(1)
        gate.set()
        await asyncio.wait([reading])
        call.cancel()
        assert len(await reading) == 1
        assert await call.read() is None


async def test_a_cancelled_call_ends_without_an_error(gateway):
    """`cancel` ends a read that waits with None, which is how a stop is told from a failure."""
    async with Gateway(gateway.address) as client:
        call = await client.activate(OPTIONS, 1, 10_000)
        reading = asyncio.create_task(call.read())
        await gateway.until_called("ActivateJobs")
        call.cancel()
        assert await reading is None


async def test_a_cancelled_task_stays_cancelled(gateway):
    """A reader that is itself cancelled ends as cancelled, even after the call was."""
    async with Gateway(gateway.address) as client:
        call = await client.activate(OPTIONS, 1, 10_000)
        reading = asyncio.create_task(call.read())
        await gateway.until_called("ActivateJobs")
        call.cancel()
        reading.cancel()
        await asyncio.wait([reading])
        assert reading.cancelled()


async def test_a_gateway_that_comes_back_is_found(gateway):
    """A channel that has found nobody twenty times connects once somebody is there."""
    async with Gateway(gateway.address) as client:
        await gateway.stop()
        for _ in range(20):
            with pytest.raises(errors.Unavailable):
                await client.topology()
        await gateway.start()
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    await client.topology()
                    break
                except errors.Unavailable:
                    await asyncio.sleep(0.01)


async def test_a_port_that_answers_nothing_is_given_up_in_time():
    """A peer that accepts and stays silent does not hold a call beyond its deadline."""
    with socket.create_server(("localhost", 0)) as silent:
        async with Gateway(f"localhost:{silent.getsockname()[1]}") as client:
            async with asyncio.timeout(PATIENCE_S):
                with pytest.raises((errors.Unavailable, errors.TimedOut)):
                    await client.topology(timeout_s=0.3)


@pytest.mark.parametrize("status", [grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INTERNAL])
async def test_a_command_fails_with_the_type_of_its_status(gateway, status):
    """Commands go through the same translation as everything else."""
    gateway.script.fail("CompleteJob", status)
    async with Gateway(gateway.address) as client:
        job = await _one_job(client, gateway)
        with pytest.raises(errors.GatewayError, match=status.name):
            await client.send(job, Complete(), timeout_s=PATIENCE_S)
