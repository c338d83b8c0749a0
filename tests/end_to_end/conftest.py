"""A cluster in this process, the connector in another, and the way between them."""

from __future__ import annotations

import asyncio

import pytest

from devstack.engine import Resource
from devstack.stack import Stack, StackOptions
from tests.kit.bpmn import bpmn, chain, end, service, start
from tests.kit.connector_process import connector_process
from tests.kit.waiting import PATIENCE_S, eventually

TASK = [
    ("=cluster", "cluster"),
    ("=authentication", "authentication"),
    ("=request", "request"),
    ("=timeoutSeconds", "timeoutSeconds"),
]
"""The task takes its inputs as they come from the instance's variables, right or wrong."""


class Story:
    """Starts instances of a process with one task, and waits for how they end."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.cluster = {
            "deployment": "selfManaged",
            "operateUrl": stack.operate_url,
            "tokenUrl": stack.token_url,
        }
        self.authentication = {
            "type": "oauth",
            "clientId": "{{secrets.CLIENT_ID}}",
            "clientSecret": "{{secrets.CLIENT_SECRET}}",
        }
        self.request = {"endpoint": "processInstances", "operation": "search"}
        self.incidents = {}
        stack.log.subscribe(self._read)

    def deploy(self, *, task_type="operate-connector:1", retries="1", **headers):
        """Deploy the process with these task headers."""
        task = service("ask", type=task_type, retries=retries, inputs=TASK, task_headers=headers)
        content = bpmn(start(), task, end(), chain("start", "ask", "end"), id="story")
        self.stack.engine.deploy([Resource("story.bpmn", content)])

    def begin(self, **variables):
        """Start an instance; gives its key and what its end will bring."""
        ended = asyncio.get_running_loop().create_future()
        given = {
            "cluster": self.cluster,
            "authentication": self.authentication,
            "request": self.request,
            "timeoutSeconds": PATIENCE_S,
            **variables,
        }
        result = self.stack.engine.create_instance(
            process_id="story",
            variables=given,
            on_result=ended.set_result,
        )
        return result.key, ended

    async def end(self, **variables):
        """Start an instance and give its variables at the end."""
        _, ended = self.begin(**variables)
        async with asyncio.timeout(PATIENCE_S):
            return (await ended).variables

    async def incident(self, **variables):
        """Start an instance and give the message of the incident that it runs into."""
        key, _ = self.begin(**variables)
        await eventually(lambda: key in self.incidents)
        return self.incidents[key]

    def _read(self, record):
        if (record.value_type, record.intent) == ("INCIDENT", "CREATED"):
            key = record.value["processInstanceKey"]
            self.incidents[key] = record.value["errorMessage"]


@pytest.fixture
async def stack():
    """A cluster on free ports."""
    async with Stack.start(StackOptions(port_base=0)) as stack:
        yield stack


@pytest.fixture
def story(stack):
    return Story(stack)


@pytest.fixture
def environ(stack):
    """What an operator would set for this cluster."""
    return {
        "CAMUNDA_CLIENT_GRPC_ADDRESS": f"http://{stack.grpc_address}",
        "SECRET_CLIENT_ID": "operate",
        "SECRET_CLIENT_SECRET": "secret",
    }


@pytest.fixture
async def connector(environ):
    """The connector at work."""
    async with connector_process(environ) as running:
        yield running
