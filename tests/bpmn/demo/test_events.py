from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientSession, web

from bpmn.demo.errors import StoryFailedError
from bpmn.demo.events import delivered
from bpmn.demo.story import Ended
from tests.kit.http import serving
from tests.kit.loop import quiet

ENDED = Ended("p", 9, "COMPLETED", "end", (), {}, 0.1, completed=(("Look", {}),))
CREATED = {"intent": "CREATED", "processInstanceKey": "9"}
COMPLETED = {"intent": "COMPLETED", "processInstanceKey": "9"}
OTHER = {"intent": "COMPLETED", "processInstanceKey": "10"}


def backend(*answers):
    """A backend that has these events, one list after the other."""
    script = list(answers)

    async def list_(_request):
        events = script.pop(0) if len(script) > 1 else script[0]
        return web.json_response({"deliveries": [{"event": event} for event in events]})

    return list_


async def ask(clock, told, *answers):
    async with serving(backend(*answers)) as url, ClientSession() as session:
        waiting = asyncio.create_task(delivered(session, url, told, clock))
        while not waiting.done():
            await clock.advance(1)
            await quiet()
        return waiting.result()


async def test_events_are_waited_for(clock):
    """Until the completion of the story's user task has come; other instances do not count."""
    found = await ask(clock, [ENDED], [], [CREATED, OTHER], [CREATED, OTHER, COMPLETED])
    assert found == [CREATED, COMPLETED]


async def test_events_that_do_not_come_are_a_failure(clock):
    """A minute without them ends the demo."""
    with pytest.raises(StoryFailedError, match="delivery of the user tasks' events"):
        await ask(clock, [ENDED], [CREATED, OTHER])


async def test_there_must_be_something_to_deliver(clock):
    """Stories without a user task would prove nothing of the exporter."""
    with pytest.raises(StoryFailedError, match="nothing to do"):
        await ask(clock, [], [])


async def test_a_backend_that_is_away_is_told(clock, free_ports):
    """The address that does not answer is in the message."""
    url = f"http://127.0.0.1:{free_ports['backend']}/events"
    async with ClientSession() as session:
        with pytest.raises(StoryFailedError, match="was not answered"):
            await delivered(session, url, [ENDED], clock)
