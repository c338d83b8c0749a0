"""A partition of the topic: its offset is what the slowest lane needs, its metadata tells all."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.errors import SourceRefused
from exporter.progress import Bounds, Progress
from exporter.record import Sieve, Unreadable
from exporter.sources.kafka_topic.shelf import Shelf, Sifter
from tests.kit.user_task_records import user_task


@dataclass(frozen=True)
class Message:
    offset: int
    value: bytes | None
    key: bytes | None = None


def shelf_of(begin=0, number=1, longest_bytes=1 << 20, appeared=None):
    sifter = Sifter(Sieve({"USER_TASK": {"CREATED"}}), longest_bytes, number, 3)
    appeared = [] if appeared is None else appeared
    return Shelf(number, sifter, begin, appeared=appeared.append, taken=lambda: None)


def messages(partitions, begin=0):
    return [
        Message(offset, user_task(offset + 1, partition_id=partition_id))
        for offset, partition_id in enumerate(partitions, begin)
    ]


def test_its_offset_is_the_least_that_a_lane_needs():
    """Committing further would lose what the slower one has not done."""
    shelf = shelf_of(begin=10)
    shelf.hand_out(messages([1, 4, 1], begin=10))
    assert shelf.offset == 10
    shelf.lanes[1].done = Progress(13, "1@13")
    assert shelf.offset == 11
    shelf.lanes[4].done = Progress(12, "1@12")
    assert shelf.offset == 12


def test_its_metadata_brings_back_every_lane():
    """Another process learns positions, bookmarks and the announced batch of each."""
    shelf, appeared = shelf_of(), []
    shelf.hand_out(messages([1, 4, 1]))
    pending = Bounds(3, 3, 1, "USER_TASK")
    shelf.lanes[1].done = Progress(1, "1@1", pending, 99)
    other = shelf_of(begin=shelf.offset, appeared=appeared)
    other.recall(shelf.metadata)
    assert sorted(appeared) == [1, 4]
    assert other.remembered(other.lanes[1]) == Progress(1, "1@1", pending, 99)
    assert other.remembered(other.lanes[4]) == Progress(bookmark="1@1")


@pytest.mark.parametrize("metadata", ["", "text", "[]", '{"1": 5}', '{"x": [1,1,1,null]}'])
def test_metadata_of_somebody_else_means_nothing(metadata):
    """An offset that a tool has reset has none, or its own."""
    shelf = shelf_of()
    shelf.recall(metadata)
    assert shelf.lanes == {}


def test_more_lanes_than_kafka_can_remember_are_refused():
    """What does not fit is not left out: the next owner would send under other keys."""
    shelf = shelf_of()
    shelf.hand_out(messages(range(1, 200)))
    with pytest.raises(SourceRefused, match="more partitions"):
        _ = shelf.metadata


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b'{"partitionId": 4, "position": 7}', (4, 7)),
        (b'{"partitionId": "4"}', (1, -1)),
        (b"\xff", (1, -1)),
        (None, (1, -1)),
    ],
)
def test_a_broken_record_goes_to_whom_its_key_names(key, expected):
    """Or to the first partition that lies there, so that it is set aside by somebody."""
    shelf = shelf_of()
    shelf.hand_out([Message(0, b"{broken", key)])
    assert list(shelf.lanes) == [expected[0]]


def test_a_record_that_is_too_long_is_not_kept_whole():
    """Only its beginning is."""
    sifter = Sifter(Sieve({"USER_TASK": {"CREATED"}}), 100, 1, 3)
    sifted = sifter.one(Message(0, user_task(1) + b" " * 10_000))
    assert isinstance(sifted, Unreadable)
    assert len(sifted.raw) == 4096


def test_a_message_without_a_value_is_passed_by():
    """Compaction leaves such."""
    shelf = shelf_of()
    shelf.hand_out([Message(0, None), *messages([1], begin=1)])
    assert shelf.next == 2
    assert list(shelf.lanes) == [1]


@given(
    partitions=st.lists(st.sampled_from((1, 4, 7)), min_size=1, max_size=60),
    turns=st.lists(st.tuples(st.sampled_from((1, 4, 7)), st.integers(1, 9)), max_size=40),
)
def test_lanes_of_any_pace_get_all_of_theirs_in_order(partitions, turns):
    """Whoever takes when, and however much is read at a time: nothing is missed or twice."""
    read = asyncio.run(read_all(partitions, turns))
    for partition_id in (1, 4, 7):
        expected = [at + 1 for at, p in enumerate(partitions) if p == partition_id]
        assert read.get(partition_id, []) == expected


async def take(lane, gate, positions):
    """Be a lane that goes on whenever its gate lets it."""
    async with aclosing(lane.read(lane.start)) as chunks:
        async for chunk in chunks:
            positions += [record.position for record in chunk.records]
            await gate.acquire()


async def read_all(partitions, turns):
    """Read a log in turns, after each of which one lane may take a chunk; then let all take all."""
    log, shelf = messages(partitions), shelf_of()
    read, gates, lanes = {}, {}, []

    async def turn(partition_id, count):
        if shelf.wanted is not None and shelf.wanted < len(log):
            shelf.next = shelf.wanted
            shelf.hand_out(log[shelf.next : shelf.next + count])
        for lane in shelf.lanes.values():
            if lane.partition_id not in gates:
                gate = gates[lane.partition_id] = asyncio.Semaphore(0)
                positions = read[lane.partition_id] = []
                lanes.append(asyncio.create_task(take(lane, gate, positions)))
        if partition_id in gates:
            gates[partition_id].release()
        for _ in range(3):
            await asyncio.sleep(0)

    for partition_id, count in [*turns, *[(p, 100) for p in (1, 4, 7)] * (len(turns) + 10)]:
        await turn(partition_id, count)
    for lane in lanes:
        lane.cancel()
    await asyncio.gather(*lanes, return_exceptions=True)
    return read
