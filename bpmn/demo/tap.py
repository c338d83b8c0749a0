from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from aiohttp import ClientSession, web

from bpmn.demo.loopback import LOOPBACK

_HOP_BY_HOP: Final = {"connection", "content-encoding", "content-length", "host", "keep-alive"}
_HOP_BY_HOP_ANSWER: Final = _HOP_BY_HOP | {"transfer-encoding"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that the connector sent, and the answer that it got."""

    method: str
    path: str
    asked: bytes
    status: int
    answered: bytes


class Tap:
    """A tap on the line to Operate: passes every request on, and notes it with its answer.

    Each story has an address of its own (`url_for`), so that the notes of stories that run at the
    same time stay apart. Headers, and with them the tokens, are passed on and not noted.

    Use it as an async context manager: it listens from entry to exit.
    """

    def __init__(self, operate_url: str, session: ClientSession) -> None:
        self._operate_url = operate_url
        self._session = session
        self._notes: defaultdict[str, list[Exchange]] = defaultdict(list)
        application = web.Application()
        application.router.add_route("*", "/{story}/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, 0).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    def url_for(self, story: str) -> str:
        """The address that a story's tasks use as Operate's."""
        _, port = self._runner.addresses[0]
        return f"http://{LOOPBACK}:{port}/{story}"

    def heard(self, story: str) -> tuple[Exchange, ...]:
        """What went over the line for a story so far, in order."""
        return tuple(self._notes[story])

    async def _pass_on(self, request: web.Request) -> web.Response:
        path = f"/{request.match_info['path']}"
        asked = await request.read()
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        url = f"{self._operate_url}{path}"
        async with self._session.request(
            request.method, url, params=request.query, data=asked or None, headers=headers
        ) as answer:
            answered = await answer.read()
            exchange = Exchange(request.method, path, asked, answer.status, answered)
            self._notes[request.match_info["story"]].append(exchange)
            passed = {
                k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP_ANSWER
            }
            return web.Response(status=answer.status, body=answered, headers=passed)
