from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from aiohttp import ClientSession

from connector.authorization import Authorizer
from connector.errors import CallTimeout
from connector.failures import raise_for_status, translating
from connector.operations import DELETE
from connector.page import join
from connector.query import Search
from connector.request import Request, next_page
from connector.response import Response, page_of, read_response
from connector.sharing import SharedReads
from runtime.clock import Clock
from runtime.http import Answer, exchange

_BAD_REQUEST = 400


class Client:
    """Sends requests to Operate and reads what comes back: the only stage that does any I/O.

    One session, and so one connection pool, serves all jobs.
    """

    def __init__(
        self,
        session: ClientSession,
        authorizer: Authorizer,
        clock: Clock,
        *,
        max_response_bytes: int,
        sharing: SharedReads | None = None,
    ) -> None:
        """`sharing` lets jobs share what they ask for alike; without it each asks for itself."""
        self._session = session
        self._authorizer = authorizer
        self._clock = clock
        self._max_response_bytes = max_response_bytes
        self._sharing = sharing

    async def send(self, request: Request, time_left_s: float) -> Response:
        """Send `request`, all its pages, within its time-out and `time_left_s`.

        An answer 401 drops the token or session and is followed by one second try.

        Raises:
            CallError: when there is no good answer; the type says why.
        """
        until_s = self._clock.monotonic_s() + min(request.timeout_s, time_left_s)
        response = await self._send_once(request, until_s)
        if request.search is None or request.search.max_items is None:
            return response
        return await self._following_pages(request, request.search, response, until_s)

    async def _following_pages(
        self,
        request: Request,
        search: Search,
        response: Response,
        until_s: float,
    ) -> Response:
        pages = [page_of(response)]
        missing = (search.max_items or 0) - len(pages[0].items)
        asked = search.page_size
        # A page that is not full is the last one; without its place none can follow.
        while missing > 0 and len(pages[-1].items) == asked and pages[-1].sort_values:
            asked = min(search.results, missing)
            following = next_page(request, pages[-1].sort_values, missing)
            response = await self._send_once(following, until_s)
            pages.append(page_of(response))
            missing -= len(pages[-1].items)
        return replace(response, body=join(pages))

    async def _send_once(self, request: Request, until_s: float) -> Response:
        with translating():
            answer = await self._answer(request, until_s)
        if answer.status >= _BAD_REQUEST:
            raise_for_status(answer, request, self._clock.now_ms())
        return read_response(answer, request.operation)

    async def _answer(self, request: Request, until_s: float) -> Answer:
        left_s = partial(self._left_s, until_s)

        async def ask() -> Answer:
            return await self._authorizer.authorized(
                request.authorization,
                lambda headers: self._exchange(request, headers, left_s()),
                left_s,
            )

        if self._sharing is None or request.operation is DELETE:
            return await ask()
        asked = (request.operation, request.url, request.body, request.authorization)
        async with asyncio.timeout(left_s()):
            return await self._sharing.answer(asked, ask)

    async def _exchange(
        self,
        request: Request,
        headers: Mapping[str, str],
        timeout_s: float,
    ) -> Answer:
        content = {} if request.body is None else {"Content-Type": "application/json"}
        return await exchange(
            self._session,
            request.operation.method,
            request.url,
            limit_bytes=self._max_response_bytes,
            headers={"Accept": "application/json", **content, **headers},
            body=request.body,
            timeout_s=timeout_s,
        )

    def _left_s(self, until_s: float) -> float:
        left_s = until_s - self._clock.monotonic_s()
        if left_s <= 0:
            raise CallTimeout(
                "The time for this job is over before the API gave its whole answer. "
                "Give it more with timeoutSeconds, or ask for less."
            )
        return left_s
