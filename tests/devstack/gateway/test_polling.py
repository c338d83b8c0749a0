"""Long polls and job streams."""

from __future__ import annotations

import asyncio

import grpc
import orjson
import pytest
from grpc import StatusCode
from pyzeebe.proto import gateway_pb2 as pb

from devstack.gateway.dispatch import STREAM_BUFFER_BYTES
from tests.kit.waiting import PATIENCE_S, eventually

AN_HOUR_MS = 3_600_000


async def test_poll_without_waiting(served):
    """A negative request timeout answers at once, with or without jobs."""
    async with asyncio.timeout(PATIENCE_S):
        assert await served.poll(requestTimeout=-1) == []


async def test_poll_waits_for_a_job(served):
    """A long poll is answered in the moment a job comes up."""
    waiting = asyncio.ensure_future(served.poll(requestTimeout=AN_HOUR_MS))
    await eventually(lambda: served.polls == 1)
    key = await served.start()
    async with asyncio.timeout(PATIENCE_S):
        [job] = await waiting
    assert job.processInstanceKey == key


async def test_poll_ends_empty(served):
    """A long poll without jobs ends when its time is over."""
    async with asyncio.timeout(PATIENCE_S):
        assert await served.poll(requestTimeout=50) == []


async def test_polls_wait_in_line(served):
    """Each waiting poll gets jobs in turn; none gets another's."""
    polls = [asyncio.ensure_future(served.poll(requestTimeout=AN_HOUR_MS)) for _ in range(3)]
    await eventually(lambda: served.polls == 3)
    keys = [await served.start() for _ in range(3)]
    async with asyncio.timeout(PATIENCE_S):
        answers = await asyncio.gather(*polls)
    assert sorted(job.processInstanceKey for jobs in answers for job in jobs) == keys
    assert [len(jobs) for jobs in answers] == [1, 1, 1]


async def test_abandoned_poll_takes_no_job(served):
    """A client that has hung up gets no job; the next one does."""
    gone = asyncio.ensure_future(served.poll(requestTimeout=AN_HOUR_MS))
    await eventually(lambda: served.polls == 1)
    gone.cancel()
    await eventually(lambda: served.polls == 0)
    await served.start()
    assert len(await served.poll(requestTimeout=1_000)) == 1


async def test_many_jobs_fit_their_messages(serve):
    """Jobs of more than a message together come in several messages."""
    async with serve(
        engine={"partitions": 3, "max_message_bytes": 20_000}, max_message_bytes=20_000
    ) as served:
        for _ in range(9):
            await served.start(variables=orjson.dumps({"x": "y" * 5_000}).decode())
        request = pb.ActivateJobsRequest(
            type="work", worker="w", timeout=1, maxJobsToActivate=9, requestTimeout=-1
        )
        answers = [answer async for answer in served.call.ActivateJobs(request)]
    assert len(answers) > 1
    assert sum(len(answer.jobs) for answer in answers) == 9
    assert all(answer.ByteSize() <= 20_000 for answer in answers)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": ""}, "type to be present, but it was blank"),
        ({"worker": ""}, "worker to be present, but it was blank"),
        ({"timeout": 0}, "timeout to be greater than zero, but it was '0'"),
        (
            {"maxJobsToActivate": -1},
            "max jobs to activate to be greater than zero, but it was '-1'",
        ),
    ],
    ids=["type", "worker", "timeout", "jobs"],
)
async def test_wrong_polls(served, refused, change, message):
    """A poll that can get nothing is refused."""
    code, details = await refused(served.poll(**change))
    assert code is StatusCode.INVALID_ARGUMENT
    assert details.endswith(message)


async def test_stream_gets_jobs_as_they_come_up(served):
    """A stream is given each new job; those from before it stay for polls."""
    before = await served.start()
    stream = served.stream()
    await stream.initial_metadata()
    keys = [await served.start() for _ in range(3)]
    async with asyncio.timeout(PATIENCE_S):
        jobs = [await stream.read() for _ in range(3)]
    assert [job.processInstanceKey for job in jobs] == keys
    assert [job.processInstanceKey for job in await served.poll()] == [before]
    stream.cancel()


async def test_streams_take_turns(served):
    """Two streams share the jobs, and a poll beside them gets none."""
    one, two = served.stream(), served.stream()
    await one.initial_metadata()
    await two.initial_metadata()
    for _ in range(4):
        await served.start()
    async with asyncio.timeout(PATIENCE_S):
        assert (
            len(
                {
                    (await one.read()).key,
                    (await one.read()).key,
                    (await two.read()).key,
                    (await two.read()).key,
                }
            )
            == 4
        )
    assert await served.poll() == []
    one.cancel()
    two.cancel()


async def test_blocked_stream_leaves_jobs_to_others(served):
    """A client that does not read gets no more than its buffer; the rest is for others."""
    stream = served.stream()
    await stream.initial_metadata()
    variables = orjson.dumps({"x": "y" * 60_000}).decode()
    for _ in range(400):
        await served.start(variables=variables)
    await eventually(lambda: served.streams[0].buffered_bytes >= STREAM_BUFFER_BYTES)
    polled = await served.poll(maxJobsToActivate=100)
    assert 0 < len(polled) < 400
    stream.cancel()


async def test_ended_stream_gives_back_what_it_did_not_send(served):
    """When a stream ends, jobs that were never written to it are given out again at once."""
    stream = served.stream()
    await stream.initial_metadata()
    variables = orjson.dumps({"x": "y" * 60_000}).decode()
    for _ in range(400):
        await served.start(variables=variables)
    await eventually(lambda: served.streams[0].buffered_bytes >= STREAM_BUFFER_BYTES)
    left = len(served.cluster.intents("JOB")) - len(served.cluster.events("JOB_BATCH"))
    stream.cancel()
    await eventually(lambda: not served.streams)
    yielded = {record.key for record in served.cluster.events("JOB", "YIELDED")}
    polled: set[int] = set()
    while jobs := await served.poll():
        polled |= {job.key for job in jobs}
    assert yielded
    assert yielded <= polled
    assert len(polled) == left + len(yielded)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"type": " "},
            "Expected to stream activated jobs with type to be present, but it was blank",
        ),
        (
            {"timeout": 0},
            "Expected to stream activated jobs with timeout to be greater than zero, but it was 0",
        ),
    ],
    ids=["type", "timeout"],
)
async def test_wrong_streams(served, refused, change, message):
    """A stream that can get nothing is refused."""
    code, details = await refused(served.stream(**change).read())
    assert (code, details) == (StatusCode.INVALID_ARGUMENT, message)


async def test_stop_ends_polls_and_streams(served):
    """Stopping the gateway cuts those that wait, and starting again on the port works."""
    poll = asyncio.ensure_future(served.poll(requestTimeout=AN_HOUR_MS))
    stream = served.stream()
    await stream.initial_metadata()
    await eventually(lambda: served.polls == 1)
    await served.gateway.stop()
    for waiting in (poll, stream.read()):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await waiting
        assert error.value.code() in (StatusCode.UNAVAILABLE, StatusCode.CANCELLED)
    assert await served.gateway.start(served.port) == served.port
    await served.start()
    assert len(await served.poll()) == 1
