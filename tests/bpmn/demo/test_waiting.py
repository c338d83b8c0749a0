from __future__ import annotations

import asyncio

import pytest

from bpmn.demo.errors import StoryFailedError
from bpmn.demo.waiting import until


async def test_gives_what_it_waited_for(clock):
    """It looks until there is something, which may be nothing at first."""
    seen = iter([None, None, "an instance"])

    async def look():
        return next(seen)

    waiting = asyncio.create_task(until(look, "an instance", clock))
    await clock.advance(1)
    assert await waiting == "an instance"


async def test_gives_up_by_name(clock):
    """What never happens ends the demo with a line that says what was waited for."""

    async def look():
        return None

    waiting = asyncio.create_task(until(look, "the end of order", clock, within_s=5))
    await clock.advance(4.5)
    assert not waiting.done()
    await clock.advance(1)
    with pytest.raises(StoryFailedError, match="the end of order did not happen within 5 s"):
        await waiting
