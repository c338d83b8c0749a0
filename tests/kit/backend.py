"""An App Integrations backend on a real socket that answers from a script, faults included."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import orjson
from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Posted:
    """One request that came in."""

    key: str
    events: list
    headers: dict
    body: bytes


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer with a status; `Retry_After="2"` names a header."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=code, body=body, headers=named)

    return answer


TAKE = status(200)


async def hang(request: web.Request) -> web.StreamResponse:
    """Take the request and never answer."""
    await asyncio.Event().wait()
    return web.Response()


async def reset(request: web.Request) -> web.StreamResponse:
    """Take the request and break the connection."""
    request.transport.abort()
    return web.Response()


async def take_and_reset(request: web.Request) -> web.StreamResponse:
    """Take the events, and break the connection before the answer."""
    request.transport.abort()
    return web.Response()


async def take_and_hang(request: web.Request) -> web.StreamResponse:
    """Take the events and never say so."""
    await asyncio.Event().wait()
    return web.Response()


async def half(request: web.Request) -> web.StreamResponse:
    """Say 200, begin a body and hang up within it."""
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"{")
    request.transport.close()
    return response


async def web_page(request: web.Request) -> web.StreamResponse:
    """Say 200 with a login page, as a proxy does."""
    return web.Response(body=b"<!DOCTYPE html>\n<html><body>Log in</body></html>")


@dataclass
class Backend:
    """The server: `script` holds the next answers, after them `otherwise` answers.

    Attributes:
        posted: Every request, in the order of arrival.
        taken: Those that were answered with 2xx, and those whose answer was lost.
        decide: Chooses the answer by what was posted, before the script.
    """

    script: deque[Answer] = field(default_factory=deque)
    otherwise: Answer = TAKE
    decide: Callable[[Posted], Answer | None] = lambda _: None
    posted: list[Posted] = field(default_factory=list)
    taken: list[Posted] = field(default_factory=list)
    tokens: int = 0
    token_answers: deque[web.Response] = field(default_factory=deque)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        body = await request.content.read()  # without the size limit of `request.read`
        if request.path == "/token":
            return self._token()
        if request.method != "POST":
            return web.Response(status=405)
        posted = _posted(request, body)
        self.posted.append(posted)
        answer = self.decide(posted) or (self.script.popleft() if self.script else self.otherwise)
        if answer in (take_and_reset, take_and_hang):
            self.taken.append(posted)
            return await answer(request)
        response = await answer(request)
        if 200 <= response.status < 300 and answer not in (hang, reset, half, web_page):
            self.taken.append(posted)
        return response

    @property
    def events(self) -> list:
        """All events that were taken, repeats included."""
        return [event for posted in self.taken for event in posted.events]

    @property
    def keys(self) -> list[str]:
        """Idempotency keys that were taken, in order, each once."""
        return list(dict.fromkeys(posted.key for posted in self.taken))

    @property
    def events_once(self) -> list:
        """Events that were taken, each batch once: what a backend keeps that knows repeats."""
        first = {}
        for posted in self.taken:
            first.setdefault(posted.key, posted.events)
        return [event for events in first.values() for event in events]

    @property
    def bodies_by_key(self) -> Counter:
        """How many different bodies each key was posted with."""
        return Counter(key for key, _ in {(posted.key, posted.body) for posted in self.posted})

    def say(self, *answers: Answer) -> None:
        """Add answers to the script."""
        self.script.extend(answers)

    def _token(self) -> web.Response:
        if self.token_answers:
            return self.token_answers.popleft()
        self.tokens += 1
        return web.json_response({"access_token": f"token-{self.tokens}", "expires_in": 300})


def _posted(request: web.Request, body: bytes) -> Posted:
    # aiohttp has unpacked a compressed body by now, unless the test's server was told not to.
    text = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    return Posted(
        request.headers.get("Idempotency-Key", ""),
        orjson.loads(text)["events"],
        dict(request.headers),
        text,
    )
