"""User tasks over REST, as a table: what is sent, what comes back, what the engine recorded."""

from __future__ import annotations

import aiohttp
import pytest

from devstack.engine import Engine, Resource
from devstack.orchestration_v2 import UserTaskApi
from devstack.records import RecordLog
from devstack.server import HttpServer
from devstack.version import Version
from tests.kit.user_task import APPROVAL

UNKNOWN = (1 << 51) + 77_777


class Tasks:
    """An engine with one user task behind the API, and the task's records."""

    def __init__(self, clock, version="8.8"):
        self.records = []
        log = RecordLog()
        log.subscribe(self._note)
        self.engine = Engine(log, clock)
        self.engine.deploy([Resource("approval.bpmn", APPROVAL.encode())])
        self.engine.create_instance(process_id="approval")
        self.key = self.records[-1].key
        routes = UserTaskApi(self.engine, Version.parse(version).user_task_path).routes()
        self.server = HttpServer("tasks", routes, clock)

    def _note(self, record):
        if record.value_type == "USER_TASK" and record.record_type == "EVENT":
            self.records.append(record)

    @property
    def last(self):
        return self.records[-1]


@pytest.fixture
async def tasks(clock):
    tasks = Tasks(clock)
    await tasks.server.start("127.0.0.1", 0)
    yield tasks
    await tasks.server.stop()


@pytest.fixture
async def session(tasks):
    async with aiohttp.ClientSession(f"http://127.0.0.1:{tasks.server.port}") as session:
        yield session


async def send(session, method, path, **request):
    async with session.request(method, f"/v2/user-tasks/{path}", **request) as response:
        return response.status, await response.json(content_type=None)


async def test_a_completed_task_moves_the_process_on(session, tasks):
    """204 without a body; the variables and the action stand in the record."""
    body = {"variables": {"approved": True}, "action": "approve"}
    assert await send(session, "POST", f"{tasks.key}/completion", json=body) == (204, None)
    assert (tasks.last.intent, tasks.last.value["action"]) == ("COMPLETED", "approve")
    assert tasks.last.value["variables"] == {"approved": True}


@pytest.mark.parametrize("body", [None, {}, {"variables": None, "action": None, "more": 1}])
async def test_a_task_is_completed_without_anything(session, tasks, body):
    """The body is optional, and so is all that stands in it."""
    status, _ = await send(session, "POST", f"{tasks.key}/completion", json=body)
    assert (status, tasks.last.intent) == (204, "COMPLETED")


async def test_a_task_is_completed_once(session, tasks):
    """The second time there is no such task any more; the problem says so in five fields."""
    path = f"{tasks.key}/completion"
    assert (await send(session, "POST", path))[0] == 204
    status, problem = await send(session, "POST", path)
    assert status == 404
    assert problem == {
        "type": "about:blank",
        "title": "NOT_FOUND",
        "status": 404,
        "detail": "Command 'COMPLETE' rejected with code 'NOT_FOUND': Expected to complete user "
        f"task with key '{tasks.key}', but no such user task was found",
        "instance": f"/v2/user-tasks/{path}",
    }


@pytest.mark.parametrize(
    ("path", "body", "title"),
    [
        ("x/completion", {}, "Bad Request"),
        (f"{1 << 63}/completion", {}, "Bad Request"),
        ("1/completion", [], "Bad Request"),
        ("1/completion", {"variables": []}, "Bad Request"),
        ("1/completion", {"action": 1}, "Bad Request"),
        ("1/assignment", {}, "INVALID_ARGUMENT"),
        ("1/assignment", {"assignee": ""}, "INVALID_ARGUMENT"),
        ("1/assignment", {"assignee": "demo", "allowOverride": "no"}, "Bad Request"),
    ],
)
async def test_a_wrong_request_becomes_no_command(session, path, body, title):
    """400 with a problem before anything reaches the engine."""
    status, problem = await send(session, "POST", path, json=body)
    assert (status, problem["status"], problem["title"]) == (400, 400, title)


async def test_a_body_that_is_no_json_is_refused(session, tasks):
    """A broken body changes nothing."""
    headers = {"Content-Type": "application/json"}
    status, _ = await send(session, "POST", f"{tasks.key}/completion", data=b"{", headers=headers)
    assert (status, tasks.last.intent) == (400, "CREATED")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/plain", 415),
        ("application/octet-stream", 415),
        ("application/json; charset=utf-8", 204),
        ("application/vnd.camunda.api.keys.string+json", 204),
    ],
)
async def test_only_json_is_read(session, tasks, content_type, status):
    """A body of another content type is 415, a problem, and changes nothing."""
    headers = {"Content-Type": content_type}
    path = f"{tasks.key}/assignment"
    answered, body = await send(session, "POST", path, data=b'{"assignee":"a"}', headers=headers)
    assert answered == status
    assert tasks.last.intent == ("ASSIGNED" if status == 204 else "CREATED")
    assert status == 204 or body["title"] == "Unsupported Media Type"


@pytest.mark.parametrize("key", ["x", "1.0", "9" * 19, "9" * 5000, "-", ""])
async def test_a_key_that_is_no_64_bit_integer_is_400(session, key):
    """However long it is, it is the caller's fault; no key at all is no endpoint."""
    status, body = await send(session, "POST", f"{key}/completion")
    assert (status, body["status"]) == ((400, 400) if key else (404, 404))


async def test_a_task_is_assigned_and_taken_away(session, tasks):
    """Assigning overrides; DELETE on the assignee takes the task away from them."""
    path = f"{tasks.key}/assignment"
    for assignee in ("ann", "bob"):
        assert (await send(session, "POST", path, json={"assignee": assignee}))[0] == 204
        assert (tasks.last.intent, tasks.last.value["assignee"]) == ("ASSIGNED", assignee)
    assert tasks.last.value["action"] == "assign"
    assert (await send(session, "DELETE", f"{tasks.key}/assignee"))[0] == 204
    assert (tasks.last.value["assignee"], tasks.last.value["action"]) == ("", "unassign")


async def test_a_task_that_is_someone_elses_is_not_claimed(session, tasks):
    """Without override it is a claim: 409 when someone else has the task."""
    path = f"{tasks.key}/assignment"
    ann, bob = ({"assignee": name, "allowOverride": False} for name in ("ann", "bob"))
    assert (await send(session, "POST", path, json=ann))[0] == 204
    status, problem = await send(session, "POST", path, json=bob)
    assert (status, problem["title"]) == (409, "INVALID_STATE")
    assert tasks.last.value["assignee"] == "ann"


async def test_a_task_is_changed(session, tasks):
    """What the changeset names is changed; null and unknown names change nothing."""
    changeset = {
        "dueDate": "2026-02-01T12:00:00Z",
        "candidateGroups": ["sales"],
        "priority": 80,
        "followUpDate": None,
        "elementInstanceKey": 5,
    }
    status, _ = await send(session, "PATCH", f"{tasks.key}", json={"changeset": changeset})
    assert (status, tasks.last.intent) == (204, "UPDATED")
    changed = {name: tasks.last.value[name] for name in ("dueDate", "priority", "followUpDate")}
    assert changed == {"dueDate": "2026-02-01T12:00:00Z", "priority": 80, "followUpDate": ""}
    assert tasks.last.value["candidateGroupsList"] == ["sales"]


async def test_empty_values_clear_what_a_task_has(session, tasks):
    """An empty list and an empty text take a value away."""
    given = {"dueDate": "2026-02-01T12:00:00+01:00", "candidateUsers": ["ann"]}
    empty = {"dueDate": "", "candidateUsers": []}
    for changeset in (given, empty):
        await send(session, "PATCH", f"{tasks.key}", json={"changeset": changeset})
    assert (tasks.last.value["dueDate"], tasks.last.value["candidateUsersList"]) == ("", [])


async def test_an_action_alone_is_a_change(session, tasks):
    """A change may be only that something was done."""
    status, _ = await send(session, "PATCH", f"{tasks.key}", json={"action": "escalate"})
    assert (status, tasks.last.value["action"]) == (204, "escalate")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "No update data provided"),
        ({"changeset": {}}, "No update data provided"),
        ({"changeset": {"elementInstanceKey": 1}}, "No update data provided"),
        ({"changeset": {"dueDate": "foo"}}, "due date 'foo'"),
        ({"changeset": {"dueDate": "2026-02-01T12:00:00"}}, "due date"),
        ({"changeset": {"followUpDate": "2026-02-01T12:00:00+0100"}}, "follow-up date"),
        ({"changeset": {"dueDate": "a", "followUpDate": "b"}}, "'a' cannot be parsed as a date"),
        ({"changeset": {"priority": -1}}, "'-1' but must be within the [0,100] range"),
        ({"changeset": {"priority": 101}}, "'101'"),
        ({"changeset": {"priority": "high"}}, "integer"),
        ({"changeset": {"candidateUsers": "ann"}}, "candidateUsers"),
        ({"changeset": {"candidateGroups": [1]}}, "candidateGroups"),
    ],
    ids=str,
)
async def test_a_change_that_cannot_be_is_refused(session, tasks, body, detail):
    """400 with what is wrong; the task stays as it was."""
    status, problem = await send(session, "PATCH", f"{tasks.key}", json=body)
    assert (status, problem["title"]) == (400, "INVALID_ARGUMENT")
    assert detail in problem["detail"]
    assert tasks.last.intent == "CREATED"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "assignment"), ("DELETE", "assignee"), ("PATCH", ""), ("POST", "completion")],
)
async def test_an_unknown_task_is_not_found(session, method, path):
    """404 whatever is asked of it."""
    body = {"assignee": "ann", "action": "look"} if method != "DELETE" else None
    status, problem = await send(session, method, f"{UNKNOWN}/{path}".rstrip("/"), json=body)
    assert (status, problem["title"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("version", "path", "status"),
    [("8.4", "/v1", 404), ("8.5", "/v1", 204), ("8.5", "/v2", 404), ("8.10", "/v2", 204)],
)
async def test_the_path_is_that_of_the_version(clock, version, path, status):
    """Under /v1 in 8.5, under /v2 from 8.6 on, nowhere before."""
    tasks = Tasks(clock, version)
    port = await tasks.server.start("127.0.0.1", 0)
    url = f"http://127.0.0.1:{port}{path}/user-tasks/{tasks.key}/completion"
    try:
        async with aiohttp.ClientSession() as session, session.post(url) as response:
            assert response.status == status
    finally:
        await tasks.server.stop()
