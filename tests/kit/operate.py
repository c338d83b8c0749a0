"""An Operate API on a real socket that answers from a script and remembers what it was asked."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import orjson
from aiohttp import web


@dataclass(frozen=True)
class Asked:
    """One request that came in."""

    method: str
    path: str
    headers: dict
    body: object


def page(*items, total=None, sort_values=None):
    """A search page as the API gives it."""
    values = ([items[-1]["key"]] if items else []) if sort_values is None else sort_values
    return {"items": list(items), "sortValues": values, "total": total or len(items)}


def answer(body=None, status=200, **headers):
    """A scripted answer; a body that is no bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(
        body=content,
        status=status,
        headers={"Content-Type": "application/json", **named},
    )


@dataclass
class Operate:
    """The server: `script` holds the API's next answers, tokens and logins come by themselves."""

    script: deque = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    tokens: int = 0
    logins: int = 0
    login_status: int = 204
    login_path: str = "/api/login"
    csrf: str = "csrf-{}"

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if request.path == "/token":
            self.tokens += 1
            return answer({"access_token": f"token-{self.tokens}", "expires_in": 300})
        if request.method == "POST" and request.path == self.login_path:
            return self._log_in()
        if request.path.endswith("/login"):
            return web.Response(status=401)
        self.asked.append(
            Asked(
                request.method,
                request.path,
                dict(request.headers),
                orjson.loads(body) if body else None,
            ),
        )
        scripted = self.script.popleft()
        return await scripted(request) if callable(scripted) else scripted

    def _log_in(self) -> web.Response:
        self.logins += 1
        response = web.Response(status=self.login_status)
        if self.login_status < 300:
            response.set_cookie("OPERATE-SESSION", f"session-{self.logins}", httponly=True)
            response.headers["OPERATE-X-CSRF-TOKEN"] = self.csrf.format(self.logins)
        return response

    def say(self, *answers) -> None:
        """Add answers to the script."""
        self.script.extend(answers)
