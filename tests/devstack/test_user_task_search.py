from __future__ import annotations

import aiohttp
import pytest

from devstack.server import HttpServer
from devstack.user_task_search import UserTaskSearch
from devstack.version import Version
from tests.kit.zeebe_records import Journal

TASK = {
    "elementId": "approve",
    "elementInstanceKey": 2251799813685310,
    "processInstanceKey": 2251799813685300,
    "processDefinitionKey": 2251799813685250,
    "bpmnProcessId": "approval",
    "processDefinitionVersion": 1,
    "assignee": "",
    "candidateGroupsList": ["operations"],
    "candidateUsersList": [],
    "creationTimestamp": 1_768_471_871_440,
    "dueDate": "",
    "followUpDate": "",
    "formKey": -1,
    "externalFormReference": "",
    "priority": 50,
    "customHeaders": {},
    "tags": [],
    "tenantId": "<default>",
}


class Tasks:
    """The search behind a socket, over records that a test writes."""

    def __init__(self, clock):
        self.search = UserTaskSearch(Version.parse("8.8"))
        self.journal = Journal(self.search.read)
        self.server = HttpServer("tasks", self.search.routes(), clock)

    def record(self, intent, key, **changes):
        self.journal.write("USER_TASK", intent, key, {**TASK, "userTaskKey": key, **changes})

    async def ask(self, body=None):
        url = f"http://127.0.0.1:{self.server.port}/v2/user-tasks/search"
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
            return response.status, await response.json(content_type=None)

    async def keys(self, **filter):
        status, body = await self.ask({"filter": filter})
        assert status == 200, body
        return [int(item["userTaskKey"]) for item in body["items"]]


@pytest.fixture
async def tasks(clock):
    tasks = Tasks(clock)
    await tasks.server.start("127.0.0.1", 0)
    yield tasks
    await tasks.server.stop()


async def test_a_task_is_shown_as_the_api_shows_it(tasks):
    """Keys are text, what is not set is null, and the page tells how many there are."""
    tasks.record("CREATED", 9007199254740993)
    assert await tasks.ask() == (
        200,
        {
            "items": [
                {
                    "userTaskKey": "9007199254740993",
                    "elementInstanceKey": "2251799813685310",
                    "processInstanceKey": "2251799813685300",
                    "processDefinitionKey": "2251799813685250",
                    "state": "CREATED",
                    "elementId": "approve",
                    "processDefinitionId": "approval",
                    "processDefinitionVersion": 1,
                    "assignee": None,
                    "candidateGroups": ["operations"],
                    "candidateUsers": [],
                    "creationDate": "2026-01-15T10:11:11.440+00:00",
                    "completionDate": None,
                    "dueDate": None,
                    "followUpDate": None,
                    "formKey": None,
                    "externalFormReference": None,
                    "priority": 50,
                    "customHeaders": {},
                    "tags": [],
                    "tenantId": "<default>",
                },
            ],
            "page": {
                "totalItems": 1,
                "hasMoreTotalItems": False,
                "startCursor": None,
                "endCursor": None,
            },
        },
    )


async def test_a_task_has_the_state_of_its_last_record(tasks):
    """Assigning keeps a task in CREATED; completing and canceling end it."""
    for key in (1, 2, 3):
        tasks.record("CREATING", key)
        tasks.record("CREATED", key)
    tasks.record("ASSIGNED", 1, assignee="demo")
    tasks.record("COMPLETING", 2)
    tasks.record("COMPLETED", 2)
    tasks.record("CANCELED", 3)
    assert await tasks.keys(state="CREATED") == [1]
    assert await tasks.keys(assignee="demo") == [1]
    assert await tasks.keys(state="COMPLETED") == [2]
    assert await tasks.keys(state={"$in": ["COMPLETED", "CANCELED"]}) == [2, 3]
    (_, body) = await tasks.ask({"filter": {"userTaskKey": 2}})
    assert body["items"][0]["completionDate"] == "2026-01-15T10:11:11.440+00:00"


async def test_filters_are_anded_and_take_keys_as_text_or_number(tasks):
    """Every filter has to fit; a key matches however it is written."""
    tasks.record("CREATED", 1)
    tasks.record("CREATED", 2, processInstanceKey=77)
    assert await tasks.keys(processInstanceKey="77") == [2]
    assert await tasks.keys(processInstanceKey={"$eq": 77}, elementId="approve") == [2]
    assert await tasks.keys(processInstanceKey=77, elementId="other") == []
    assert await tasks.keys(processInstanceKey=77, assignee=None) == [2]


async def test_a_page_is_cut_out_of_what_was_found(tasks):
    """`from` and `limit` choose the items; the total stays."""
    for key in range(1, 6):
        tasks.record("CREATED", key)
    _, body = await tasks.ask({"page": {"from": 1, "limit": 2}})
    assert [item["userTaskKey"] for item in body["items"]] == ["2", "3"]
    assert body["page"]["totalItems"] == 5


@pytest.mark.parametrize(
    ("sort", "keys"),
    [
        (None, [1, 2, 3]),
        ([], [1, 2, 3]),
        ([{"field": "priority"}], [3, 1, 2]),
        ([{"field": "priority", "order": "DESC"}], [1, 2, 3]),
        ([{"field": "dueDate", "order": "ASC"}], [2, 1, 3]),
        ([{"field": "priority", "order": "DESC"}, {"field": "dueDate"}], [2, 1, 3]),
    ],
    ids=str,
)
async def test_a_sort_orders_the_tasks(tasks, sort, keys):
    """By several fields, dates by the moment they mean; what has no date comes last."""
    tasks.record("CREATED", 1, priority=50, dueDate="2026-01-02T00:00:00Z")
    tasks.record("CREATED", 2, priority=50, dueDate="2026-01-02T00:30:00+01:00[Europe/Berlin]")
    tasks.record("CREATED", 3, priority=10)
    _, body = await tasks.ask({"sort": sort})
    assert [int(item["userTaskKey"]) for item in body["items"]] == keys


@pytest.mark.parametrize(
    ("body", "title", "named"),
    [
        ({"sort": [{"field": "name"}]}, "Bad Request", "'name'"),
        ({"sort": [{"field": "priority", "order": "UP"}]}, "Bad Request", "[ASC, DESC]"),
        ({"filter": {"state": "OPEN"}}, "Bad Request", "'OPEN'"),
        ({"sort": [{"order": "ASC"}]}, "INVALID_ARGUMENT", "Sort field"),
        ({"sort": {"field": "priority"}}, "INVALID_ARGUMENT", "sort"),
    ],
    ids=str,
)
async def test_what_no_sort_or_state_can_be_is_named(tasks, body, title, named):
    """The value, the field and what is allowed stand in the problem."""
    status, problem = await tasks.ask(body)
    assert (status, problem["title"]) == (400, title)
    assert named in problem["detail"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"filter": {"processInstanceKye": 1}}, "processInstanceKye"),
        ({"filter": {"state": {"$neq": "CREATED"}}}, "state"),
        ({"filter": []}, "filter"),
        ({"page": {"limit": 10_001}}, "page.limit"),
        ({"page": {"from": -1}}, "page.from"),
        ({"page": {"after": "abc"}}, "cursors"),
    ],
)
async def test_what_is_not_served_is_refused_by_name(tasks, body, named):
    """Nothing of a search is ignored: 400 with a problem that names it."""
    status, problem = await tasks.ask(body)
    assert (status, problem["status"], problem["title"]) == (400, 400, "INVALID_ARGUMENT")
    assert named in problem["detail"]


@pytest.mark.parametrize("text", [b"{", b"[]", b"1"])
async def test_broken_json_is_refused(tasks, text):
    """A body that is no JSON object is the sender's fault, not the server's."""
    url = f"http://127.0.0.1:{tasks.server.port}/v2/user-tasks/search"
    headers = {"Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, data=text) as response,
    ):
        body = await response.json(content_type="application/problem+json")
    assert (response.status, body["title"]) == (400, "Bad Request")


async def test_one_task_is_read_by_its_key(tasks):
    """The task as a search shows it; a key that is no task's is 404, a problem."""
    tasks.record("CREATED", 2, assignee="demo")
    url = f"http://127.0.0.1:{tasks.server.port}/v2/user-tasks"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/2") as response:
            assert (response.status, await response.json()) == (
                200,
                (await tasks.ask())[1]["items"][0],
            )
        async with session.get(f"{url}/3") as response:
            body = await response.json(content_type="application/problem+json")
            assert (response.status, body["title"]) == (404, "NOT_FOUND")


async def test_other_records_are_not_looked_at(tasks):
    """Commands, rejections and records of other kinds leave the tasks as they are."""
    tasks.journal.write("USER_TASK", "COMPLETE", 1, {}, record_type="COMMAND")
    tasks.journal.write("JOB", "CREATED", 1, {})
    assert await tasks.keys() == []


@pytest.mark.parametrize(("version", "paths"), [("8.4", 0), ("8.5", 0), ("8.6", 2), ("8.10", 2)])
def test_versions_that_have_the_search(version, paths):
    """There is nothing to search by before 8.6."""
    assert len(UserTaskSearch(Version.parse(version)).routes()) == paths
