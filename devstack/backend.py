"""The App Integrations backend: takes events, keeps them, and shows them as they arrive.

    POST   /events           {"events": [...]} with the API key or a token of the issuer: 204
    GET    /events?after=N   what came, from the N-th event on; asks for nothing
    DELETE /events           forget what came
    GET    /                 a page that shows it

What Camunda's own backend answers is not public; any 2xx means that it has the events. Answers of
other kinds come from `devstack.faults`, like those of every server here.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from pydantic import SecretStr

from devstack.problems import json_response, server_error
from runtime.clock import Clock

API_KEY = SecretStr("demo-key")
EVENTS_PATH = "/events"
_KEPT_EVENTS = 100_000
_STATIC = Path(__file__).parent / "page" / "static"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event as it came.

    Attributes:
        number: of the event, from 0, in the order of arrival.
        request: of the request that it came in, from 0.
        arrived_ms: wall-clock time of the request.
        idempotency_key: the request's header of that name; empty without one.
        is_repeat: whether an earlier request had the same key.
        event: the event itself.
    """

    number: int
    request: int
    arrived_ms: int
    idempotency_key: str
    is_repeat: bool
    event: Mapping[str, Any]


class Backend:
    """Takes batches of events from those who show the key or a good token.

    Args:
        clock: for the time of arrival.
        is_good_token: whether a bearer token is to be let in.
        api_key: what `x-api-key` must be.
    """

    def __init__(
        self, clock: Clock, is_good_token: Callable[[str], bool], api_key: SecretStr = API_KEY
    ) -> None:
        self._clock = clock
        self._is_good_token = is_good_token
        self._api_key = api_key.get_secret_value().encode()
        self._deliveries: deque[Delivery] = deque(maxlen=_KEPT_EVENTS)
        self._keys: set[str] = set()
        self._count = 0
        self._requests = 0
        self._arrival = asyncio.Event()

    def routes(self) -> list[web.AbstractRouteDef]:
        """What is served, the page's files included."""
        return [
            web.post(EVENTS_PATH, self._take),
            web.get(EVENTS_PATH, self._list),
            web.delete(EVENTS_PATH, self._forget),
            web.get("/", self._index),
            web.static("/devstack/page", _STATIC),
        ]

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """What came, oldest first; the newest 100 000 events are kept."""
        return tuple(self._deliveries)

    @property
    def events(self) -> Sequence[Mapping[str, Any]]:
        """The events that came, without those of repeated requests."""
        return tuple(each.event for each in self._deliveries if not each.is_repeat)

    async def arrived(self, count: int) -> None:
        """Return when at least `count` events came, repeats included."""
        while self._count < count:
            self._arrival.clear()
            await self._arrival.wait()

    async def _take(self, request: web.Request) -> web.Response:
        if not self._is_let_in(request):
            return server_error(401, "Unauthorized", request.path, self._clock)
        events = _events(await request.read())
        if events is None:
            reason = 'the body must be {"events": [...]} with an object for each event'
            return server_error(400, reason, request.path, self._clock)
        self._keep(request.headers.get("Idempotency-Key", ""), events)
        return web.Response(status=204)

    def _keep(self, key: str, events: Sequence[Mapping[str, Any]]) -> None:
        is_repeat = key in self._keys
        if key:
            self._keys.add(key)
        now_ms = self._clock.now_ms()
        for event in events:
            self._deliveries.append(
                Delivery(self._count, self._requests, now_ms, key, is_repeat, event)
            )
            self._count += 1
        self._requests += 1
        self._arrival.set()

    def _is_let_in(self, request: web.Request) -> bool:
        key = request.headers.get("x-api-key")
        if key is not None:
            return hmac.compare_digest(key.encode(), self._api_key)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._is_good_token(token.strip())

    async def _list(self, request: web.Request) -> web.Response:
        after = request.query.get("after", "0")
        begin = int(after) if after.isdecimal() else 0
        shown = [
            {
                "number": each.number,
                "arrivedMs": each.arrived_ms,
                "idempotencyKey": each.idempotency_key,
                "isRepeat": each.is_repeat,
                "event": each.event,
            }
            for each in self._deliveries
            if each.number >= begin
        ]
        return json_response({"deliveries": shown, "next": self._count})

    async def _forget(self, _request: web.Request) -> web.Response:
        self._deliveries.clear()
        self._keys.clear()
        self._count = 0
        return web.Response(status=204)

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(_STATIC / "backend.html")


def _events(body: bytes) -> Sequence[Mapping[str, Any]] | None:
    """The events of a request; None when its body is nothing of the kind."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    events = content.get("events") if isinstance(content, dict) else None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        return None
    return events
