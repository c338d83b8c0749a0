from __future__ import annotations

import asyncio

import pytest

from exporter.errors import DeadLettersFull, StateUnavailable
from exporter.obstacles import Obstacles


async def test_what_has_passed_is_not_named_beside_what_is_in_the_way_now(clock):
    """A disk that has room again is no reason any more when the dead letters are full."""
    obstacles = Obstacles(1, clock, lambda: 1.0)
    answers = [StateUnavailable("the disk is full"), DeadLettersFull("no room")]

    async def work() -> None:
        raise answers.pop(0)

    with pytest.raises(DeadLettersFull):
        await _passing_time(clock, obstacles.insist("state", work, StateUnavailable))
    assert obstacles.reasons == {}


async def _passing_time(clock, waiting):
    task = asyncio.ensure_future(waiting)
    await clock.advance(1.0)
    return await task
