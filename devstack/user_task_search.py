"""User tasks of the Orchestration Cluster API v2, to be read: `GET …/user-tasks/{key}`, `…/search`.

Request, response and field names are those of its OpenAPI. Filters match by plain equality, `$eq`
and `$in`; an operator or a field that is not served is refused and never ignored, since an ignored
filter finds too much. Without a sort tasks come in the order of their creation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aiohttp import web

from devstack.bpmn.timers import parse_date_time_ms
from devstack.operate.dates import to_text
from devstack.problems import json_response, v2_problem
from devstack.records import Record
from devstack.v2_request import answering, json_body, path_key, refuse
from devstack.version import Version

_KEYS = (
    "userTaskKey",
    "elementInstanceKey",
    "processInstanceKey",
    "processDefinitionKey",
)
_FILTERS = frozenset({*_KEYS, "state", "elementId", "processDefinitionId", "assignee", "tenantId"})
_SORTS = ("completionDate", "creationDate", "dueDate", "followUpDate", "priority")
_STATES = {"CREATED": "CREATED", "COMPLETED": "COMPLETED", "CANCELED": "CANCELED"}
_DEFAULT_LIMIT = 100
_MAX_LIMIT = 10_000
_MAX_ENDED = 10_000


class _UnsupportedError(ValueError):
    """A part of a search that is not served here; the message names it."""


class UserTaskSearch:
    """Reads user tasks from the record log and answers searches for them.

    Args:
        version: decides whether, and where, the search is.
        take_in: called before a search, to let `read` see the records that are due.
    """

    def __init__(self, version: Version, take_in: Callable[[], None] = lambda: None) -> None:
        self._base = version.user_task_path
        self._take_in = take_in
        self._tasks: dict[int, dict[str, Any]] = {}
        self._ended: dict[int, None] = {}

    def routes(self) -> list[web.RouteDef]:
        """The paths to read at; none before 8.6, which is the first version to have a search."""
        if self._base is None or not self._base.startswith("/v2/"):
            return []
        return [
            web.post(f"{self._base}/search", answering(self._search)),
            web.get(f"{self._base}/{{key}}", answering(self._get)),
        ]

    def read(self, record: Record) -> None:
        """Take in what a record says of a user task; the oldest ended ones are forgotten."""
        if record.value_type != "USER_TASK" or record.record_type != "EVENT":
            return
        known = self._tasks.get(record.key, {})
        state = _STATES.get(record.intent, known.get("state", "CREATED"))
        ended = record.timestamp_ms if record.intent == "COMPLETED" else None
        self._tasks[record.key] = _item(record.value, state, ended)
        if state != "CREATED":
            self._ended[record.key] = None
        if len(self._ended) > _MAX_ENDED:
            oldest = next(iter(self._ended))
            del self._ended[oldest], self._tasks[oldest]

    async def _get(self, request: web.Request) -> web.Response:
        key = path_key(request)
        self._take_in()
        if key not in self._tasks:
            detail = f"User Task with key '{key}' not found"
            return v2_problem(404, "NOT_FOUND", detail, request.path)
        return json_response(self._tasks[key])

    async def _search(self, request: web.Request) -> web.Response:
        asked = await json_body(request)
        try:
            wanted = _object(asked.get("filter"), "filter")
            allowed = {
                name: _values(name, value) for name, value in wanted.items() if value is not None
            }
            page = _object(asked.get("page"), "page")
            start, limit = _bounds(page)
            orders = _orders(asked.get("sort"))
            self._take_in()
            found = [task for task in self._tasks.values() if _fits(task, allowed)]
        except _UnsupportedError as error:
            refuse(str(error))
        for field, is_descending in reversed(orders):
            found.sort(key=partial(_rank, field), reverse=is_descending)
        shown = {
            "totalItems": len(found),
            "hasMoreTotalItems": False,
            "startCursor": None,
            "endCursor": None,
        }
        return json_response({"items": found[start : start + limit], "page": shown})


def _item(value: Mapping[str, Any], state: str, ended_ms: int | None) -> dict[str, Any]:
    """A user task as the API shows it: keys as text, what is not set as null."""
    return {
        **{name: str(value[name]) for name in _KEYS},
        "state": state,
        "elementId": value["elementId"],
        "processDefinitionId": value["bpmnProcessId"],
        "processDefinitionVersion": value["processDefinitionVersion"],
        "assignee": value["assignee"] or None,
        "candidateGroups": value["candidateGroupsList"],
        "candidateUsers": value["candidateUsersList"],
        "creationDate": to_text(value["creationTimestamp"], rfc3339=True),
        "completionDate": None if ended_ms is None else to_text(ended_ms, rfc3339=True),
        "dueDate": value["dueDate"] or None,
        "followUpDate": value["followUpDate"] or None,
        "formKey": None if value["formKey"] < 0 else str(value["formKey"]),
        "externalFormReference": value["externalFormReference"] or None,
        "priority": value["priority"],
        "customHeaders": value["customHeaders"],
        "tags": value["tags"],
        "tenantId": value["tenantId"],
    }


def _fits(task: Mapping[str, Any], allowed: Mapping[str, list[Any]]) -> bool:
    return all(task[name] in values for name, values in allowed.items())


def _values(name: str, value: object) -> list[Any]:
    """The values that a filter lets through."""
    if name not in _FILTERS:
        raise _UnsupportedError(f"The filter {name} is not supported here.")
    if name == "state" and isinstance(value, str):
        _check_one_of(name, value, tuple(_STATES))
    if not isinstance(value, dict):
        return [_as_shown(name, value)]
    if value.keys() == {"$eq"}:
        return [_as_shown(name, value["$eq"])]
    if value.keys() == {"$in"} and isinstance(value["$in"], list):
        return [_as_shown(name, each) for each in value["$in"]]
    raise _UnsupportedError(f"The filter {name} takes a value, $eq or $in here.")


def _as_shown(name: str, value: object) -> object:
    """Keys are text in this API, and numbers are taken for them too."""
    return str(value) if name in _KEYS else value


def _orders(given: object) -> list[tuple[str, bool]]:
    """The fields to sort by, first the one that counts most, and whether each descends."""
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise _UnsupportedError("Request property [sort] cannot be parsed")
    orders = []
    for each in given:
        if each.get("field") is None:
            raise _UnsupportedError("Sort field must not be null.")
        _check_one_of("field", each["field"], _SORTS)
        _check_one_of("order", each.get("order") or "ASC", ("ASC", "DESC"))
        orders.append((each["field"], each.get("order") == "DESC"))
    return orders


def _check_one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        refuse(
            f"Unexpected value '{value}' for enum field '{name}'. "
            f"Use any of the following values: [{', '.join(allowed)}]",
            "Bad Request",
        )


def _rank(field: str, task: Mapping[str, Any]) -> tuple[bool, int]:
    """A task's place by one field; what has no value comes last (ascending)."""
    value = task[field]
    if value is None:
        return True, 0
    return False, value if isinstance(value, int) else parse_date_time_ms(value)


def _object(value: object, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _UnsupportedError(f"Request property [{name}] cannot be parsed")
    return value


def _bounds(page: Mapping[str, Any]) -> tuple[int, int]:
    if page.keys() - {"from", "limit"}:
        raise _UnsupportedError("A page takes from and limit here; cursors are not supported.")
    start, limit = page.get("from", 0), page.get("limit", _DEFAULT_LIMIT)
    if not (isinstance(start, int) and start >= 0):
        raise _UnsupportedError("The value for page.from must be 0 or more.")
    if not (isinstance(limit, int) and 0 <= limit <= _MAX_LIMIT):
        raise _UnsupportedError(f"The value for page.limit must be within [0,{_MAX_LIMIT}].")
    return start, limit
