from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from pydantic import SecretStr

from exporter.errors import LeaseHeld, RecordError, SourceRefused
from exporter.progress import Progress
from exporter.sources import Credentials, open_source, probe
from exporter.sources.http import records_of
from runtime.clock import SystemClock
from tests.kit.record_source import options_of
from tests.kit.records import other_line, task_line
from tests.kit.waiting import PATIENCE_S


@pytest.fixture
def address(unused_tcp_port):
    return f"http://127.0.0.1:{unused_tcp_port}"


@asynccontextmanager
async def receiving(address, tmp_path, **changes):
    """A source that listens, and a client without a key."""
    options = options_of(address, SystemClock(), tmp_path, **changes)
    async with open_source(options) as source, aiohttp.ClientSession() as session:
        yield source, session


async def post(session, address, body, **headers):
    async with session.post(address, data=body, headers=headers) as response:
        return response.status, await response.json()


async def first_positions(source, partition=1):
    async for chunk in source.read(partition, Progress()):
        return [record.position for record in chunk.records]
    return []


@pytest.mark.parametrize(
    "body",
    [
        task_line(1).strip(),
        task_line(1) + task_line(2),
        b"[" + task_line(1).strip() + b"," + task_line(2).strip() + b"]",
        task_line(1) + b"\n\n" + other_line(2),
    ],
    ids=["one", "lines", "array", "blank lines"],
)
async def test_records_come_in_any_of_three_shapes(body, address, tmp_path):
    """One record, an array and lines are taken, and counted by whether they are asked for."""
    async with receiving(address, tmp_path) as (source, session):
        code, answer = await post(session, address, body)
        assert code == 200
        assert await first_positions(source) == list(range(1, answer["accepted"] + 1))


async def test_an_answer_of_200_means_that_records_are_on_disk(address, tmp_path):
    """What was accepted is there when the service was killed right after its answer."""
    async with receiving(address, tmp_path) as (_, session):
        assert (await post(session, address, task_line(1)))[0] == 200
    async with receiving(address, tmp_path) as (source, _):
        assert await first_positions(source) == [1]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 401),
        ({"x-api-key": "wrong"}, 401),
        ({"x-api-key": "secret"}, 200),
        ({"Authorization": "Bearer secret"}, 200),
        ({"Authorization": "Bearer other"}, 401),
        ({"x-api-key": "sécret"}, 401),
    ],
)
async def test_senders_show_the_key(headers, code, address, tmp_path):
    """Only who shows the key may send; nothing of the others is kept."""
    credentials = Credentials(api_key=SecretStr("secret"))
    async with receiving(address, tmp_path, credentials=credentials) as (source, session):
        assert (await post(session, address, task_line(1), **headers))[0] == code
        assert (source._inbox.waiting_bytes == 0) == (code == 401)


async def test_too_large_a_request_is_refused(address, tmp_path):
    """A body beyond the limit is 413, and nothing of it is kept."""
    async with receiving(address, tmp_path, max_record_bytes=2000) as (source, session):
        code, _ = await post(session, address, task_line(1) * 9)
        assert (code, source._inbox.waiting_bytes) == (413, 0)


async def test_a_full_inbox_asks_to_come_again(address, tmp_path):
    """While nothing more can be kept the sender is told 503 and when to come again."""
    async with receiving(address, tmp_path, inbox_max_bytes=1500) as (_, session):
        assert (await post(session, address, task_line(1)))[0] == 200
        async with session.post(address, data=task_line(2)) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"garbage", b"[1,", b'{"a":1}', b"[{}]", b"[" * 5000, b'{"a":' * 5000]
)
async def test_what_is_no_record_is_the_senders_mistake(body, address, tmp_path):
    """A request that holds something else than records is refused with a reason, values unsaid."""
    async with receiving(address, tmp_path) as (source, session):
        code, answer = await post(session, address, body)
        assert code == 400
        assert answer["error"]
        assert source._inbox.waiting_bytes == 0


async def test_a_broken_user_task_is_kept_for_its_lane(address, tmp_path):
    """Refused, it would be sent again for ever; kept, its lane sets it aside."""
    async with receiving(address, tmp_path) as (source, session):
        code, _ = await post(session, address, task_line(1)[:300] + b"\n" + task_line(2))
        assert code == 200
        assert await first_positions(source) == [-1, 2]


async def test_partitions_appear(address, tmp_path):
    """Partitions are given as their first record comes."""
    async with receiving(address, tmp_path) as (source, session):
        partitions = source.partitions()
        await post(session, address, task_line(1, partition=3))
        assert await asyncio.wait_for(anext(partitions), PATIENCE_S) == 3
        await post(session, address, task_line(2, partition=1))
        assert await asyncio.wait_for(anext(partitions), PATIENCE_S) == 1
        await partitions.aclose()


async def test_what_is_acknowledged_is_forgotten(address, tmp_path):
    """The inbox is empty once all of it is done."""
    async with receiving(address, tmp_path) as (source, session):
        await post(session, address, task_line(1))
        async for chunk in source.read(1, Progress()):
            await source.acknowledge(1, Progress(1, chunk.bookmark))
            break
        assert source.facts() == {"waiting bytes": 0}


async def test_a_second_owner_of_the_queue_is_refused(address, tmp_path):
    """Two services on one state directory would share an inbox; the second does not start."""
    async with receiving(address, tmp_path):
        with pytest.raises(LeaseHeld):
            async with receiving(address, tmp_path):
                pass


async def test_a_port_that_is_taken_is_told(address, tmp_path):
    """A port of another program is an error with a remedy; our own is fine for a probe."""
    async with receiving(address, tmp_path):
        await probe(options_of(address, SystemClock(), tmp_path))
    taken = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    with pytest.raises(SourceRefused, match="cannot be listened at"):
        await probe(options_of(f"http://127.0.0.1:{port}", SystemClock(), tmp_path))
    taken.close()


async def test_only_posts_bring_records(address, tmp_path):
    """Other methods are answered, and bring nothing."""
    async with receiving(address, tmp_path) as (_, session), session.put(address) as response:
        assert response.status == 405


def test_an_empty_array_is_no_error():
    """A sender with nothing to say may say so."""
    assert records_of(b"[]") == []
    with pytest.raises(RecordError):
        records_of(b"")
