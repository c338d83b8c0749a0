"""The operations that Camunda's template leaves out, through a real gateway and a real HTTP API."""

from __future__ import annotations

import asyncio

import pytest

from devstack.engine import Resource
from tests.kit.connector_process import connector_process
from tests.kit.modeler import EXAMPLES
from tests.kit.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.slow


@pytest.fixture
async def deleting(environ):
    """A connector that may delete."""
    async with connector_process({**environ, "CONNECTOR_ALLOW_DELETE": "true"}) as running:
        yield running


@pytest.fixture
def clean_up(story, environ):
    """Give a function that starts the example that cleans up; gives its key and its end to come."""
    example = next(each for each in EXAMPLES if each.stem == "clean-up")
    story.stack.engine.deploy([Resource(example.name, example.read_bytes())])

    def start(**variables):
        ended = asyncio.get_running_loop().create_future()
        addresses = {"operateUrl": story.cluster["operateUrl"], "tokenUrl": story.stack.token_url}
        instance = story.stack.engine.create_instance(
            process_id="clean-up",
            variables={"processId": "story", **addresses, **variables},
            on_result=ended.set_result,
        )
        return instance.key, ended

    environ |= {"SECRET_OPERATE_CLIENT_ID": "operate", "SECRET_OPERATE_CLIENT_SECRET": "secret"}
    return start


def on_instance(operation, key):
    return {"endpoint": "processInstances", "operation": operation, "key": str(key)}


async def test_an_instance_tells_its_way(story, connector):
    """Statistics and sequence flows of an instance are the bare arrays of the API."""
    story.deploy(resultExpression="={got: response.body}")
    key, ended = story.begin()
    await ended
    counted = (await story.end(request=on_instance("statistics", key)))["got"]
    assert {item["activityId"]: item["completed"] for item in counted}["ask"] == 1
    flows = (await story.end(request=on_instance("sequenceFlows", key)))["got"]
    assert len(flows) == 2


async def test_a_definition_gives_its_xml(story, connector):
    """The XML of a definition reaches the process as text, as it was deployed."""
    story.deploy(resultExpression="={key: response.body.items[1].key}")
    search = {"endpoint": "processDefinitions", "operation": "search"}
    key = (await story.end(request=search))["key"]
    story.deploy(resultExpression="={xml: response.body}")
    got = await story.end(
        request={"endpoint": "processDefinitions", "operation": "xml", "key": key}
    )
    assert "<bpmn:process " in got["xml"]
    assert 'id="story"' in got["xml"]


async def test_an_ended_instance_is_deleted_where_it_is_allowed(story, deleting):
    """With the operator's leave a task deletes an instance, which is gone then."""
    story.deploy(resultExpression="={deleted: response.body.deleted}")
    key, ended = story.begin()
    await ended
    assert (await story.end(request=on_instance("delete", key)))["deleted"] == 1
    message = await story.incident(request=on_instance("getByKey", key))
    assert "404" in message


async def test_nothing_is_deleted_without_leave(story, connector):
    """Without it the task fails at once, and the message says who can allow it."""
    story.deploy()
    key, ended = story.begin()
    await ended
    message = await story.incident(request=on_instance("delete", key))
    assert "CONNECTOR_ALLOW_DELETE=true" in message


async def test_a_running_instance_is_not_deleted(story, deleting):
    """The API refuses it, and the incident says what it said."""
    story.deploy()
    key, _ = story.begin(cluster=None)
    message = await story.incident(request=on_instance("delete", key))
    assert "400" in message


async def test_the_example_keeps_what_ended_a_moment_ago(clean_up, story, deleting):
    """Without further ado it deletes nothing younger than a month, and all when told to."""
    story.deploy()
    key, ended = story.begin()
    await ended
    async with asyncio.timeout(PATIENCE_S):
        assert (await clean_up()[1]).variables["deleted"] == []
        assert (await clean_up(keepFor="PT0S")[1]).variables["deleted"] == [key]


async def test_the_example_names_the_setting_where_delete_is_off(clean_up, story, connector):
    """Its incident says what to ask of whom, and nothing is gone."""
    story.deploy()
    key, ended = story.begin()
    await ended
    cleaning, _ = clean_up(keepFor="PT0S")
    await eventually(lambda: cleaning in story.incidents)
    assert "an operator can allow it with CONNECTOR_ALLOW_DELETE=true" in story.incidents[cleaning]
    story.deploy(resultExpression="={state: response.body.state}")
    assert (await story.end(request=on_instance("getByKey", key)))["state"] == "COMPLETED"
