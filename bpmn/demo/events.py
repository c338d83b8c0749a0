"""The events that the exporter delivers, as the backend has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from aiohttp import ClientError, ClientSession

from bpmn.demo.errors import StoryFailedError
from bpmn.demo.story import Ended
from bpmn.demo.waiting import until
from runtime.clock import Clock

API_KEY: Final = "demo-key"
Event = Mapping[str, Any]


async def delivered(
    session: ClientSession, url: str, told: Sequence[Ended], clock: Clock
) -> Sequence[Event]:
    """The events of the user tasks of these instances, once each is known to be completed.

    Args:
        session: For requests.
        url: Where the backend shows what it has.
        told: The instances that ended; those without user tasks have no events.
        clock: Time, for waiting.

    Raises:
        StoryFailedError: They did not come, or none is expected, or the backend is away.
    """
    expected = sum(len(ended.completed) for ended in told)
    if not expected:
        raise StoryFailedError("no story has a user task, so that the exporter has nothing to do")
    keys = {str(ended.key) for ended in told}

    async def arrived() -> Sequence[Event] | None:
        events = [
            event for event in await _all(session, url) if event.get("processInstanceKey") in keys
        ]
        completed = sum(event["intent"] == "COMPLETED" for event in events)
        return events if completed >= expected else None

    return await until(arrived, "the delivery of the user tasks' events", clock)


async def _all(session: ClientSession, url: str) -> list[Event]:
    try:
        async with session.get(url) as response:
            answer = orjson.loads(await response.read())
    except (ClientError, TimeoutError, orjson.JSONDecodeError) as error:
        raise StoryFailedError(f"GET {url} was not answered: {error!r}") from error
    return [delivery["event"] for delivery in answer["deliveries"]]
