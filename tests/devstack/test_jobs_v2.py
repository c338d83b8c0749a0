"""Jobs over REST: taken, waited for, done, failed; what a listener's job says."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from devstack.bpmn.model import TaskListener
from devstack.engine import Engine, Resource
from devstack.issuer import TokenRequest
from devstack.jobs_v2 import JobApi
from devstack.orchestration_v2 import UserTaskApi
from devstack.records import RecordLog
from devstack.server import HttpServer
from devstack.stack import Stack, StackOptions
from tests.kit import bpmn as b
from tests.kit.loop import quiet

WANTED = {"type": "work", "worker": "w", "timeout": 60_000, "maxJobsToActivate": 10}
LISTENERS = "".join(
    f'<zeebe:taskListener eventType="{event}" type="listen"/>'
    for event in ("creating", "assigning", "completing")
)
EXTENSIONS = (
    '<zeebe:assignmentDefinition assignee="ann" candidateGroups="a, b"/>'
    f"<zeebe:taskListeners>{LISTENERS}</zeebe:taskListeners>"
)


class Api:
    def __init__(self, clock):
        self.engine = Engine(RecordLog(), clock)
        routes = [
            *JobApi(self.engine, clock).routes(),
            *UserTaskApi(self.engine, "/v2/user-tasks").routes(),
        ]
        self.server = HttpServer("api", routes, clock)

    def start(self, task):
        content = b.bpmn(b.start(), task, b.end(), b.chain("start", "task", "end"))
        self.engine.deploy([Resource("p.bpmn", content)])
        return self.engine.create_instance(process_id="p", variables={"x": 1})

    async def post(self, path, body=None):
        async with self.session.post(f"/v2/{path}", json=body) as response:
            return response.status, await response.json(content_type=None)

    async def jobs(self, **changes):
        status, answer = await self.post("jobs/activation", WANTED | changes)
        assert status == 200, answer
        return answer["jobs"]


@pytest.fixture
async def api(clock):
    api = Api(clock)
    port = await api.server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        api.session = session
        yield api
    await api.server.stop()


async def test_a_job_comes_with_text_keys(api, clock):
    """The form of a real cluster's answer: keys are text, numbers that are none stay numbers."""
    instance = api.start(b.service("task"))
    (job,) = await api.jobs()
    element_instance, key = job.pop("elementInstanceKey"), job.pop("jobKey")
    assert element_instance.isdecimal()
    assert key.isdecimal()
    assert job == {
        "type": "work",
        "processDefinitionId": "p",
        "processDefinitionVersion": 1,
        "elementId": "task",
        "customHeaders": {},
        "worker": "w",
        "retries": 3,
        "deadline": clock.now_ms() + 60_000,
        "variables": {"x": 1},
        "tenantId": "<default>",
        "processInstanceKey": str(instance.key),
        "processDefinitionKey": str(instance.definition.key),
        "kind": "BPMN_ELEMENT",
        "listenerEventType": "UNSPECIFIED",
        "userTask": None,
        "tags": [],
        "rootProcessInstanceKey": str(instance.key),
    }


async def test_a_listeners_job_carries_its_user_task(api):
    """Kind, event and the task's data; what the task has not is null."""
    api.start(b.user("task", EXTENSIONS))
    (creating,) = await api.jobs(type="listen")
    assert (creating["kind"], creating["listenerEventType"]) == ("TASK_LISTENER", "CREATING")
    assert creating["userTask"]["assignee"] is None
    await api.post(f"jobs/{creating['jobKey']}/completion")
    (assigning,) = await api.jobs(type="listen")
    user_task = assigning["userTask"]
    assert user_task.pop("userTaskKey").isdecimal()
    assert user_task == {
        "action": None,
        "assignee": "ann",
        "candidateGroups": ["a", "b"],
        "candidateUsers": [],
        "changedAttributes": ["assignee"],
        "dueDate": None,
        "followUpDate": None,
        "formKey": None,
        "priority": 50,
    }


async def test_a_long_poll_gets_the_first_job(api):
    """It waits, and is answered as soon as a job comes up."""
    poll = asyncio.create_task(api.jobs(requestTimeout=30_000))
    await quiet()
    assert not poll.done()
    api.start(b.service("task"))
    assert len(await poll) == 1


async def test_a_poll_ends_empty_when_its_time_is_over(api, clock):
    """Nothing comes: an empty list after the time asked for, at once for a negative one."""
    assert await api.jobs(requestTimeout=-1) == []
    poll = asyncio.create_task(api.jobs(requestTimeout=5000))
    await quiet()
    await clock.advance(5)
    assert await poll == []


async def test_a_job_is_done_failed_or_ended_in_an_error(api):
    """204 each; retries are what the failure says, and an error without handler is an incident."""
    api.start(b.service("task"))
    (job,) = await api.jobs()
    body = {"retries": 1, "errorMessage": "no", "retryBackOff": 0}
    assert await api.post(f"jobs/{job['jobKey']}/failure", body) == (204, None)
    (job,) = await api.jobs()
    assert job["retries"] == 1
    assert await api.post(f"jobs/{job['jobKey']}/completion", {"variables": {"y": 2}}) == (
        204,
        None,
    )
    api.start(b.service("task"))
    (job,) = await api.jobs()
    assert await api.post(f"jobs/{job['jobKey']}/error", {"errorCode": "E"}) == (204, None)


@pytest.mark.parametrize(
    ("path", "body", "status", "title"),
    [
        ("jobs/activation", {"type": "x", "timeout": 1}, 400, "INVALID_ARGUMENT"),
        ("jobs/activation", WANTED | {"timeout": "x"}, 400, "Bad Request"),
        ("jobs/activation", WANTED | {"maxJobsToActivate": 0}, 400, "INVALID_ARGUMENT"),
        ("jobs/2251799813685999/completion", None, 404, "NOT_FOUND"),
        ("jobs/x/completion", None, 400, "Bad Request"),
        ("jobs/2251799813685999/error", {}, 400, "INVALID_ARGUMENT"),
    ],
)
async def test_refusals_are_problems(api, path, body, status, title):
    """What is missing, malformed or not there is told as the API v2 tells it."""
    given, problem = await api.post(path, body)
    assert (given, problem["title"]) == (status, title)


async def test_whoever_completes_a_task_waits_for_its_listeners(api):
    """The answer comes when the listener is done, and says when it was denied."""
    api.start(b.user("task", EXTENSIONS))
    for _ in range(2):
        (job,) = await api.jobs(type="listen")
        await api.post(f"jobs/{job['jobKey']}/completion")
    key = job["userTask"]["userTaskKey"]
    for result, status in [({"denied": True, "deniedReason": "why"}, 409), ({}, 204)]:
        completing = asyncio.create_task(api.post(f"user-tasks/{key}/completion"))
        (job,) = await api.jobs(type="listen")
        assert not completing.done()
        await api.post(f"jobs/{job['jobKey']}/completion", {"result": result})
        given, problem = await completing
        assert given == status
        assert problem is None or "why" in problem["detail"]


async def test_the_topology_counts_partitions(api):
    """Version and partitions of the cluster."""
    async with api.session.get("/v2/topology") as response:
        topology = await response.json()
    assert (topology["gatewayVersion"], topology["partitionsCount"]) == ("8.8.0", 1)


async def test_a_stack_has_jobs_over_rest_from_8_8_on():
    """Under the same log-in as the other APIs; earlier versions have none."""
    for version, status in [("8.8", 200), ("8.7", 404)]:
        async with (
            Stack.start(StackOptions(port_base=0, version=version)) as stack,
            aiohttp.ClientSession() as session,
        ):
            url, body = f"{stack.http_url}/v2/jobs/activation", WANTED | {"requestTimeout": -1}
            async with session.post(url, json=body) as response:
                assert response.status == 401
            token = stack.issuer.issue(TokenRequest("operate", "orchestration-api", None))
            headers = {"Authorization": f"Bearer {token}"}
            async with session.post(url, json=body, headers=headers) as response:
                assert response.status == status


async def test_global_listeners_need_8_9():
    """An earlier version is refused, a later one tells them of every task."""
    listeners = (TaskListener("creating", "listen", 3),)
    with pytest.raises(ValueError, match=r"8\.8 has no global listeners"):
        async with Stack.start(StackOptions(port_base=0, global_listeners=listeners)):
            pass
    options = StackOptions(port_base=0, version="8.9", global_listeners=listeners)
    async with Stack.start(options) as stack:
        stack.engine.deploy(
            [
                Resource(
                    "p.bpmn",
                    b.bpmn(b.start(), b.user("task"), b.end(), b.chain("start", "task", "end")),
                )
            ]
        )
        stack.engine.create_instance(process_id="p")
        jobs = stack.engine._processors[0].partition.state.jobs
        assert [job.type for job in jobs.values()] == ["listen"]
