from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from exporter.errors import InboxFull
from exporter.inbox import Inbox
from tests.kit.waiting import PATIENCE_S


@asynccontextmanager
async def opened(directory, limit_bytes=1 << 20):
    inbox = await Inbox.open(directory, "test", limit_bytes)
    try:
        yield inbox
    finally:
        inbox.close()


async def test_what_was_put_survives_a_restart(tmp_path):
    """Records are there after a restart, by partition and in the order of their coming."""
    async with opened(tmp_path) as inbox:
        assert await inbox.put([(1, b"a"), (2, b"b"), (1, b"c")]) == [1, 2, 3]
    async with opened(tmp_path) as inbox:
        assert inbox.partitions == (1, 2)
        assert [entry.raw for entry in await inbox.take(1, 0)] == [b"a", b"c"]
        assert [entry.place for entry in await inbox.take(1, 1)] == [3]


async def test_places_are_never_used_twice(tmp_path):
    """A place that was forgotten does not come back, so a bookmark means one place for ever."""
    async with opened(tmp_path) as inbox:
        await inbox.put([(1, b"a")])
        await inbox.forget(1, 1)
    async with opened(tmp_path) as inbox:
        assert await inbox.put([(1, b"b")]) == [2]


async def test_it_is_bounded_and_empties(tmp_path):
    """A full inbox keeps none of what is put; forgetting makes room."""
    async with opened(tmp_path, 100) as inbox:
        await inbox.put([(1, b"x" * 50)])
        with pytest.raises(InboxFull):
            await inbox.put([(1, b"y"), (1, b"z" * 50)])
        assert [entry.raw for entry in await inbox.take(1, 0)] == [b"x" * 50]
        await inbox.forget(1, 1)
        assert inbox.waiting_bytes == 0
        await inbox.put([(1, b"z" * 50)])


async def test_taking_waits_for_records(tmp_path):
    """A reader that is at the end wakes when something of its partition comes."""
    async with opened(tmp_path) as inbox:
        taking = asyncio.create_task(inbox.take(1, 0))
        await inbox.put([(2, b"other")])
        assert not taking.done()
        await inbox.put([(1, b"mine")])
        assert [entry.raw for entry in await taking] == [b"mine"]


async def test_a_sender_that_hangs_up_leaves_nothing_uncounted(tmp_path):
    """Records whose sender is gone before the answer are kept, counted and told of."""
    async with opened(tmp_path) as inbox:
        putting = asyncio.create_task(inbox.put([(1, b"a")]))
        await asyncio.sleep(0)
        putting.cancel()
        entries = await asyncio.wait_for(inbox.take(1, 0), PATIENCE_S)
        assert [entry.raw for entry in entries] == [b"a"]
        await asyncio.wait_for(inbox.appeared(0), PATIENCE_S)
        assert inbox.waiting_bytes == 33
