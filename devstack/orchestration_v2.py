"""The Orchestration Cluster API v2, as far as user tasks go: complete, assign, change.

Sources: the API v2's OpenAPI description and Camunda's tests for the error bodies; paths, defaults
and the checks made before a command is sent are those of the public tests of Camunda's user task
controller.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from devstack.engine import Engine, OnEnd
from devstack.errors import CommandRejectedError
from devstack.operate.dates import any_to_ms
from devstack.v2_request import answering, json_body, member, path_key, refuse

_MAX_PRIORITY = 100
_DATES = {"dueDate": "due date", "followUpDate": "follow-up date"}
_CHANGEABLE = frozenset({*_DATES, "candidateUsers", "candidateGroups", "priority"})


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
            web.post(f"{task}/completion", answering(self._complete)),
            web.post(f"{task}/assignment", answering(self._assign)),
            web.delete(f"{task}/assignee", answering(self._unassign)),
            web.patch(task, answering(self._update)),
        ]

    async def _complete(self, request: web.Request) -> None:
        body = await json_body(request)
        variables = member(body, "variables", dict) or {}
        action = member(body, "action", str) or ""
        key = path_key(request)
        await _ended(lambda on_end: self._engine.complete_user_task(key, variables, action, on_end))

    async def _assign(self, request: web.Request) -> None:
        body = await json_body(request)
        assignee = member(body, "assignee", str)
        if not assignee:
            refuse("No assignee provided")
        allow_override = member(body, "allowOverride", bool)
        key, action = path_key(request), member(body, "action", str) or "assign"
        await _ended(
            lambda on_end: self._engine.assign_user_task(
                key,
                assignee,
                allow_override=True if allow_override is None else allow_override,
                action=action,
                on_end=on_end,
            )
        )

    async def _unassign(self, request: web.Request) -> None:
        key = path_key(request)
        await _ended(
            lambda on_end: self._engine.assign_user_task(
                key, "", allow_override=True, action="unassign", on_end=on_end
            )
        )

    async def _update(self, request: web.Request) -> None:
        body = await json_body(request)
        action = member(body, "action", str) or ""
        given = member(body, "changeset", dict) or {}
        changes = {
            name: value
            for name, value in given.items()
            if name in _CHANGEABLE and value is not None
        }
        if not changes and not action:
            refuse(
                'No update data provided. Provide at least an "action" or a non-null value for a '
                'supported attribute in the "changeset".',
            )
        _check_changes(changes)
        key = path_key(request)
        await _ended(lambda on_end: self._engine.update_user_task(key, changes, action, on_end))


async def _ended(command: Callable[[OnEnd], None]) -> None:
    """Give a command and wait until its listeners are done, as the real API does.

    Raises:
        CommandRejectedError: It was refused, or a listener denied it.
    """
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(error: CommandRejectedError | None) -> None:
        if ended.done():
            return
        if error is None:
            ended.set_result(None)
        else:
            ended.set_exception(error)

    command(end)
    await ended


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
        refuse("The value for priority must be an integer.")
    if not 0 <= priority <= _MAX_PRIORITY:
        faults.append(
            f"The value for priority is '{priority}' but must be within the "
            f"[0,{_MAX_PRIORITY}] range.",
        )
    for name in ("candidateUsers", "candidateGroups"):
        names = changes.get(name, [])
        if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
            refuse(f"The value for {name} must be a list of texts.")
    if faults:
        refuse(" ".join(faults))


def _is_date(value: object) -> bool:
    """A date with an offset, or the empty text that takes a date away."""
    if value == "":
        return True
    try:
        any_to_ms(str(value))
    except ValueError:
        return False
    return ":" in str(value)[-6:] or str(value).endswith("Z")
