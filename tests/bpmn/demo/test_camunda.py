from __future__ import annotations

import pytest
from aiohttp import ClientSession

from bpmn.demo.camunda import Camunda
from bpmn.demo.errors import StoryFailedError
from bpmn.demo.story import Instance, Stage
from bpmn.demo.tap import Tap
from tests.kit.http import serving
from tests.kit.operate import Operate, answer, page

KEY = 2251799813685300


@pytest.fixture
async def cluster():
    """A scripted cluster, and the demo's client of it."""
    operate = Operate()
    async with serving(operate) as url, ClientSession() as session:
        camunda = Camunda(session, url, f"{url}/token")
        await camunda.log_in()
        yield operate, camunda


async def test_every_call_shows_the_token(cluster):
    """The client asks with the token that it logged in for."""
    operate, camunda = cluster
    operate.say(answer(page({"key": KEY, "state": "ACTIVE"})))
    assert await camunda.instance(KEY) == {"key": KEY, "state": "ACTIVE"}
    (asked,) = operate.asked
    assert (asked.method, asked.path) == ("POST", "/v1/process-instances/search")
    assert asked.body == {"filter": {"key": KEY}, "size": 100}
    assert asked.headers["Authorization"] == "Bearer token-1"


async def test_what_is_not_there_yet_is_none(cluster):
    """An instance that Operate does not know, or a user task not made yet, can be waited for."""
    operate, camunda = cluster
    operate.say(answer(page()), answer({"items": [], "page": {"totalItems": 0}}))
    assert await camunda.instance(KEY) is None
    assert await camunda.user_task(KEY) is None


async def test_a_user_task_is_found_and_completed(cluster):
    """Its key comes as text and goes back in the path; 204 has no body to read."""
    operate, camunda = cluster
    operate.say(answer({"items": [{"userTaskKey": "9007199254740993"}]}), answer(b"", status=204))
    key = await camunda.user_task(KEY)
    assert key == 9007199254740993
    await camunda.complete_user_task(key, {"remark": "Done."})
    assert operate.asked[0].body == {
        "filter": {"processInstanceKey": str(KEY), "state": "CREATED"},
    }
    assert operate.asked[1].path == "/v2/user-tasks/9007199254740993/completion"
    assert operate.asked[1].body == {"variables": {"remark": "Done."}}


async def test_variables_come_as_values(cluster):
    """The API gives values as JSON text; the client gives what they say."""
    operate, camunda = cluster
    operate.say(
        answer(
            page(
                {"key": 1, "name": "total", "value": "42"}, {"key": 2, "name": "a", "value": '"b"'}
            )
        )
    )
    assert await camunda.variables(KEY) == {"total": 42, "a": "b"}


async def test_a_refusal_is_told(cluster):
    """The address, the status and the cluster's own words are in the message."""
    operate, camunda = cluster
    operate.say(answer({"message": "no such thing"}, status=404))
    with pytest.raises(StoryFailedError, match=r"/v1/incidents/search was answered 404: .*no such"):
        await camunda.incidents()


async def test_silence_is_told(cluster, free_ports):
    """A cluster that is away is a failure with its address, not a traceback."""
    async with ClientSession() as session:
        away = Camunda(
            session, f"http://127.0.0.1:{free_ports['operate']}", "http://127.0.0.1/token"
        )
        with pytest.raises(StoryFailedError, match="was not answered"):
            await away.incidents()


async def test_an_instance_with_an_incident_is_not_waited_for(cluster, clock):
    """An incident's message ends the story at once: waiting would not mend it."""
    operate, camunda = cluster
    async with ClientSession() as session, Tap("http://localhost", session) as tap:
        stage = Stage(None, camunda, tap, "http://localhost/token", clock)
        incident = {"key": 1, "processInstanceKey": KEY, "type": "JOB_NO_RETRIES", "message": "401"}
        operate.say(
            answer(page({"key": KEY, "state": "ACTIVE"})),
            answer(page({"key": 2, "processInstanceKey": 7, "type": "X"}, incident)),
        )
        with pytest.raises(StoryFailedError, match="order is held up by an incident: 401"):
            await Instance(stage, "order", KEY, 0.0).end()


async def test_a_task_that_asked_twice_is_told(cluster, clock):
    """As many requests as connector tasks: a job that was done twice is not passed over."""
    operate, camunda = cluster
    async with ClientSession() as session, Tap("http://localhost", session) as tap:
        stage = Stage(None, camunda, tap, "http://localhost/token", clock)
        task = {"key": 1, "flowNodeName": "Ask", "type": "SERVICE_TASK"}
        operate.say(answer(page({"key": KEY, "state": "COMPLETED"})), answer(page(task)))
        with pytest.raises(StoryFailedError, match="order has 1 connector tasks and asked 0 times"):
            await Instance(stage, "order", KEY, 0.0).end()
