"""The Orchestration Cluster API v2, as far as user tasks go: complete, assign, change.

Sources: `facts/operate-api.md` §6.5 for the error bodies; paths, defaults and the checks made
before a command is sent are those of the public tests of Camunda's user task controller.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn

import orjson
from aiohttp import web

from devstack.engine import Engine
from devstack.errors import (
    BackPressureError,
    DevstackError,
    InvalidArgumentError,
    InvalidStateError,
    MalformedRequestError,
    NotFoundError,
)
from devstack.operate.dates import any_to_ms
from devstack.problems import v2_problem

_INT64 = 1 << 63
_MAX_PRIORITY = 100
_DATES = {"dueDate": "due date", "followUpDate": "follow-up date"}
_CHANGEABLE = frozenset({*_DATES, "candidateUsers", "candidateGroups", "priority"})
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class UserTaskApi:
    """User tasks over REST.

    Args:
        engine: carries the commands out.
        base: the path that they are under; None for a version that has no such API.
    """

    def __init__(self, engine: Engine, base: str | None) -> None:
        self._engine = engine
        self._base = base

    def routes(self) -> list[web.RouteDef]:
        """The API's paths."""
        if self._base is None:
            return []
        task = f"{self._base}/{{key}}"
        return [
            web.post(f"{task}/completion", _answering(self._complete)),
            web.post(f"{task}/assignment", _answering(self._assign)),
            web.delete(f"{task}/assignee", _answering(self._unassign)),
            web.patch(task, _answering(self._update)),
        ]

    async def _complete(self, request: web.Request) -> None:
        body = await _body(request)
        variables = _member(body, "variables", dict) or {}
        action = _member(body, "action", str) or ""
        self._engine.complete_user_task(_key(request), variables, action)

    async def _assign(self, request: web.Request) -> None:
        body = await _body(request)
        assignee = _member(body, "assignee", str)
        if not assignee:
            _refuse("No assignee provided")
        allow_override = _member(body, "allowOverride", bool)
        self._engine.assign_user_task(
            _key(request),
            assignee,
            allow_override=True if allow_override is None else allow_override,
            action=_member(body, "action", str) or "assign",
        )

    async def _unassign(self, request: web.Request) -> None:
        self._engine.assign_user_task(_key(request), "", allow_override=True, action="unassign")

    async def _update(self, request: web.Request) -> None:
        body = await _body(request)
        action = _member(body, "action", str) or ""
        given = _member(body, "changeset", dict) or {}
        changes = {
            name: value
            for name, value in given.items()
            if name in _CHANGEABLE and value is not None
        }
        if not changes and not action:
            _refuse(
                'No update data provided. Provide at least an "action" or a non-null value for a '
                'supported attribute in the "changeset".',
            )
        _check_changes(changes)
        self._engine.update_user_task(_key(request), changes, action)


def _check_changes(changes: Mapping[str, Any]) -> None:
    """Refuse, all at once, what the real gateway refuses before it sends a command."""
    faults = [
        f"The provided {wording} '{changes[name]}' cannot be parsed as a date according to "
        "RFC 3339, section 5.6."
        for name, wording in _DATES.items()
        if name in changes and not _is_date(changes[name])
    ]
    priority = changes.get("priority", 0)
    if isinstance(priority, bool) or not isinstance(priority, int):
        _refuse("The value for priority must be an integer.")
    if not 0 <= priority <= _MAX_PRIORITY:
        faults.append(
            f"The value for priority is '{priority}' but must be within the "
            f"[0,{_MAX_PRIORITY}] range.",
        )
    for name in ("candidateUsers", "candidateGroups"):
        names = changes.get(name, [])
        if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
            _refuse(f"The value for {name} must be a list of texts.")
    if faults:
        _refuse(" ".join(faults))


def _is_date(value: object) -> bool:
    """A date with an offset, or the empty text that takes a date away."""
    if value == "":
        return True
    try:
        any_to_ms(str(value))
    except ValueError:
        return False
    return ":" in str(value)[-6:] or str(value).endswith("Z")


def _key(request: web.Request) -> int:
    text = request.match_info["key"]
    if not text.isascii() or not text.removeprefix("-").isdigit() or abs(int(text)) >= _INT64:
        _refuse("The key in the path must be an integer.", "Bad Request")
    return int(text)


async def _body(request: web.Request) -> Mapping[str, Any]:
    text = await request.read()
    if not text.strip():
        return {}
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        _refuse("Request property [body] cannot be parsed", "Bad Request")
    if not isinstance(body, dict):
        _refuse("The body must be an object", "Bad Request")
    return body


def _member(body: Mapping[str, Any], name: str, kind: type) -> Any:  # noqa: ANN401 - JSON
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        _refuse(f"Request property [{name}] cannot be parsed", "Bad Request")
    return value


class _RefusedError(Exception):
    """A request that never becomes a command; `title` is the problem's title."""

    def __init__(self, title: str, detail: str) -> None:
        super().__init__(detail)
        self.title = title


def _refuse(detail: str, title: str = "INVALID_ARGUMENT") -> NoReturn:
    raise _RefusedError(title, detail)


_STATUSES: dict[type[DevstackError], tuple[int, str]] = {
    NotFoundError: (404, "NOT_FOUND"),
    InvalidStateError: (409, "INVALID_STATE"),
    InvalidArgumentError: (400, "INVALID_ARGUMENT"),
    MalformedRequestError: (400, "INVALID_ARGUMENT"),
    BackPressureError: (503, "RESOURCE_EXHAUSTED"),
}


def _answering(handler: Callable[[web.Request], Awaitable[None]]) -> Handler:
    """The handler, with 204 when it is done and a problem when it is refused."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            await handler(request)
        except _RefusedError as error:
            return v2_problem(400, error.title, str(error), request.path)
        except DevstackError as error:
            status, title = _STATUSES.get(type(error), (500, "INTERNAL"))
            return v2_problem(status, title, str(error), request.path)
        return web.Response(status=204)

    return answer
