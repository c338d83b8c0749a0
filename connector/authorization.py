from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from multidict import CIMultiDict, CIMultiDictProxy

from connector.login import Logins
from connector.redaction import MASK
from connector.request import Authorization, BasicLogin, SessionLogin
from runtime.http import Answer
from runtime.oauth import ClientCredentials, TokenCache

_BAD_REQUEST = 400
_UNAUTHORIZED = 401

_Got = TypeVar("_Got")

Send = Callable[[Mapping[str, str]], Awaitable[Answer]]
"""Sends a request with these headers added to it."""


class Authorizer:
    """Turns what a request is authorized by into the headers that show it."""

    def __init__(self, tokens: TokenCache, logins: Logins) -> None:
        self._tokens = tokens
        self._logins = logins

    async def authorized(
        self, authorization: Authorization, send: Send, time_left_s: Callable[[], float]
    ) -> Answer:
        """The answer to what `send` sends, with one second try after a 401.

        A token or session may have been revoked before its time, so that a 401 says little about
        the credentials that it was got with. An error answer that repeats what it was shown comes
        back without it. `time_left_s` limits the wait for a token or session alone: `send` knows
        its own limit.

        Raises:
            TokenError: of `runtime` or of the connector, when there is no token or session.
            HttpError: when a server is not reached.
            TimeoutError: when there was no token or session in time.
        """
        headers = await self._headers(authorization, time_left_s)
        answer = await send(headers)
        if answer.status != _UNAUTHORIZED or not self.renew(authorization, headers):
            return _without(answer, headers)
        headers = await self._headers(authorization, time_left_s)
        return _without(await send(headers), headers)

    async def _headers(
        self, authorization: Authorization, time_left_s: Callable[[], float]
    ) -> Mapping[str, str]:
        """The headers to send, from the caches while they are good."""
        match authorization:
            case ClientCredentials():
                token = self._tokens.at_hand(authorization)
                if token is None:
                    fetch = partial(self._tokens.access_token, authorization)
                    token = await _within(time_left_s, fetch)
                return {"Authorization": f"Bearer {token.text.get_secret_value()}"}
            case BasicLogin():
                return {"Authorization": f"Basic {_basic(authorization)}"}
            case SessionLogin():
                headers = self._logins.at_hand(authorization)
                if headers is None:
                    log_in = partial(self._logins.headers, authorization)
                    headers = await _within(time_left_s, log_in)
                return headers
            case None:
                return {}

    def renew(self, authorization: Authorization, headers: Mapping[str, str]) -> bool:
        """Forget what the API answered 401 to; gives whether a second try makes sense."""
        match authorization:
            case ClientCredentials():
                token = headers["Authorization"].removeprefix("Bearer ")
                self._tokens.drop(authorization, token)
                return True
            case SessionLogin():
                self._logins.drop(authorization, headers)
                return True
            case BasicLogin() | None:
                return False


async def _within(time_left_s: Callable[[], float], get: Callable[[], Awaitable[_Got]]) -> _Got:
    """Get what is not at hand, within the time; a time-out for what is would cost more than it."""
    async with asyncio.timeout(time_left_s()):
        return await get()


def _without(answer: Answer, shown: Mapping[str, str]) -> Answer:
    """An error answer in which the credentials that were sent with the request are masked."""
    if answer.status < _BAD_REQUEST:
        return answer
    headers, body = CIMultiDict(answer.headers), answer.body
    for credential in _credentials(shown):
        body = body.replace(credential.encode(), MASK.encode())
        items = headers.items()
        headers = CIMultiDict((name, value.replace(credential, MASK)) for name, value in items)
    return replace(answer, headers=CIMultiDictProxy(headers), body=body)


def _credentials(shown: Mapping[str, str]) -> Iterator[str]:
    """What of the headers is secret: without the scheme, and of each cookie the value."""
    for name, value in shown.items():
        if name == "Cookie":
            values = [cookie.partition("=")[2] for cookie in value.split("; ")]
        else:
            values = [value.removeprefix("Bearer ").removeprefix("Basic ")]
        yield from filter(None, values)


def _basic(login: BasicLogin) -> str:
    pair = f"{login.username.get_secret_value()}:{login.password.get_secret_value()}"
    return base64.b64encode(pair.encode()).decode()
