from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Self
from urllib.parse import urlencode

from aiohttp import ClientSession

from connector.errors import TokenError
from connector.request import SessionLogin
from runtime.http import Answer, exchange

_MAX_SESSIONS = 1000
_LOGIN_BYTES = 1024 * 1024
_CSRF = "X-CSRF-TOKEN"
_PATHS = ("/api/login", "/login")
"""Where a session begins: Operate up to 8.7, and the one application from 8.8 on."""
_ERROR_STATUS = 400


class Logins:
    """Sessions of the logins that jobs bring, one login in flight for each.

    A session lives until the API refuses it. When there are very many, the oldest goes first. Use
    it with `async with`.
    """

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._known: dict[SessionLogin, asyncio.Task[Mapping[str, str]]] = {}

    async def headers(self, login: SessionLogin) -> Mapping[str, str]:
        """The cookie, and the CSRF token where the server gave one, as request headers.

        Raises:
            TokenError: when the login is refused.
            HttpError: when the server is not reached.
        """
        headers = self.at_hand(login)
        if headers is not None:
            return headers
        task = self._known.get(login)
        if task is None or task.done():
            while len(self._known) >= _MAX_SESSIONS:
                self._known.pop(next(iter(self._known))).cancel()
            task = self._known[login] = asyncio.create_task(self._log_in(login))
        # One job that gives up must not end the login for the others.
        return await asyncio.shield(task)

    def at_hand(self, login: SessionLogin) -> Mapping[str, str] | None:
        """The same without waiting; None when there is no session yet."""
        task = self._known.get(login)
        if task is None or not task.done() or task.cancelled() or task.exception() is not None:
            return None
        return task.result()

    def drop(self, login: SessionLogin, headers: Mapping[str, str]) -> None:
        """Forget a session that the API refused, unless a newer one took its place."""
        task = self._known.get(login)
        if task is not None and task.done() and not task.cancelled() and task.result() == headers:
            del self._known[login]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """End what is still under way; leave before the session is closed."""
        tasks = list(self._known.values())
        self._known.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _log_in(self, login: SessionLogin) -> Mapping[str, str]:
        form = {
            "username": login.username.get_secret_value(),
            "password": login.password.get_secret_value(),
        }
        for path in _PATHS:
            answer = await exchange(
                self._session,
                "POST",
                login.base_url + path,
                limit_bytes=_LOGIN_BYTES,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                body=urlencode(form).encode(),
            )
            headers = _session_headers(answer)
            if headers is not None:
                return headers
        raise TokenError(
            f"Check username and password, and that this server has a login: it answered with "
            f"status {answer.status} and gave no session cookie.",
            code=str(answer.status),
        )


def _session_headers(answer: Answer) -> Mapping[str, str] | None:
    """What later requests must repeat; None when the answer begins no session.

    The CSRF token comes as a response header (`OPERATE-X-CSRF-TOKEN` up to Camunda 8.7,
    `X-CSRF-TOKEN` after it) or as a cookie, and goes back as a request header of the same name.
    """
    cookies = _cookies(answer)
    if answer.status >= _ERROR_STATUS or not cookies:
        return None
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    if _CSRF in cookies:
        headers[_CSRF] = cookies[_CSRF]
    tokens = {name: value for name, value in answer.headers.items() if _is_csrf(name)}
    return headers | tokens


def _is_csrf(name: str) -> bool:
    return name.upper().endswith(_CSRF)


def _cookies(answer: Answer) -> dict[str, str]:
    cookies: dict[str, str] = {}
    for line in answer.headers.getall("Set-Cookie", []):
        try:
            parsed = SimpleCookie(line)
        except CookieError:
            continue
        cookies |= {name: morsel.coded_value for name, morsel in parsed.items()}
    return cookies
