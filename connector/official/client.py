from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import ClientSession
from typing_extensions import override

from connector.authorization import Authorizer
from connector.inputs import Policy
from connector.official.failures import raise_for_status, translating
from connector.official.inputs import OfficialInputs, read_official_inputs
from connector.official.request import OfficialRequest, build
from connector.official.response import NoResponse, OfficialResponse, read_official_response
from connector.pipeline import Connector
from connector.sharing import SharedReads
from runtime.clock import Clock
from runtime.http import Answer, exchange

_BAD_REQUEST = 400


def _joined(own: Mapping[str, str], shown: Mapping[str, str]) -> Mapping[str, str]:
    """A task's own headers and what authorizes it, which goes out once, however it is spelt."""
    names = {name.lower() for name in shown}
    return {name: value for name, value in own.items() if name.lower() not in names} | dict(shown)


class OfficialConnector(Connector[OfficialInputs, OfficialRequest]):
    """Camunda's Operate templates, stage by stage, for the pipeline to put in order.

    Tokens and connections are those of the other connector: one pool, one cache.
    """

    def __init__(
        self,
        session: ClientSession,
        authorizer: Authorizer,
        clock: Clock,
        policy: Policy,
        *,
        max_response_bytes: int,
        sharing: SharedReads | None = None,
    ) -> None:
        """`sharing` is that of the other connector, or none."""
        self._session = session
        self._authorizer = authorizer
        self._clock = clock
        self._policy = policy
        self._max_response_bytes = max_response_bytes
        self._sharing = sharing

    @override
    def read(self, variables: Mapping[str, object]) -> OfficialInputs:
        return read_official_inputs(variables, self._policy)

    @override
    def build(self, inputs: OfficialInputs) -> OfficialRequest:
        return build(inputs)

    @override
    async def send(
        self, request: OfficialRequest, time_left_s: float
    ) -> OfficialResponse | NoResponse:
        until_s = self._clock.monotonic_s() + time_left_s
        with translating():
            answer = await self._answer(request, lambda: until_s - self._clock.monotonic_s())
        if answer.status >= _BAD_REQUEST:
            raise_for_status(answer, self._clock.now_ms())
        return read_official_response(answer)

    async def _answer(self, request: OfficialRequest, left_s: Callable[[], float]) -> Answer:
        async def ask() -> Answer:
            return await self._authorizer.authorized(
                request.credentials,
                lambda headers: self._exchange(request, headers, left_s()),
                left_s,
            )

        if self._sharing is None:
            return await ask()
        headers = tuple(request.headers.items())
        asked = (request.method, request.url, headers, request.body, request.credentials)
        async with asyncio.timeout(left_s()):
            return await self._sharing.answer(asked, ask)

    async def _exchange(
        self, request: OfficialRequest, headers: Mapping[str, str], timeout_s: float
    ) -> Answer:
        return await exchange(
            self._session,
            request.method,
            request.url,
            limit_bytes=self._max_response_bytes,
            headers=_joined(request.headers, headers),
            body=request.body,
            timeout_s=timeout_s,
            idle_s=request.idle_s,
        )
