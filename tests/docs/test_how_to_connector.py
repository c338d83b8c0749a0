"""The connector in the documentation, run as it stands there against an embedded cluster."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from aiohttp import web

from devstack.engine import Resource
from devstack.stack import Stack, StackOptions
from tests.kit.bpmn import bpmn, chain, end, service, start
from tests.kit.http import serving
from tests.kit.waiting import PATIENCE_S, eventually

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-connector.md"
(CODE,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_a_connector_is_a_small_thing():
    """All of it, imports and start included, has less than 60 lines."""
    assert len(CODE.splitlines()) < 60


@pytest.fixture
async def stack():
    async with Stack.start(StackOptions(port_base=0)) as stack:
        yield stack


@pytest.fixture
async def at_work(stack):
    """The documented connector, at work for the cluster; it drains at the end."""
    names = {"__name__": "documented"}
    exec(compile(CODE, str(PAGE), "exec", dont_inherit=True), names)
    stop = asyncio.Event()
    environ = {"SECRET_TOKEN": "s3cr3t-path"}
    working = asyncio.create_task(names["work"](stack.grpc_address, environ, stop))
    yield
    stop.set()
    await working


class Runs:
    """Instances of a process with one such task."""

    def __init__(self, stack, **headers):
        self.stack, self.incidents = stack, {}
        task = service(
            "look", type="web-page:1", retries="1", inputs=[("=url", "url")], task_headers=headers
        )
        content = bpmn(start(), task, end(), chain("start", "look", "end"), id="looking")
        stack.engine.deploy([Resource("looking.bpmn", content)])
        stack.log.subscribe(self._read)

    async def variables(self, **given):
        ended = asyncio.get_running_loop().create_future()
        self.stack.engine.create_instance(
            process_id="looking", variables=given, on_result=ended.set_result
        )
        async with asyncio.timeout(PATIENCE_S):
            return (await ended).variables

    async def incident(self, **given):
        key = self.stack.engine.create_instance(process_id="looking", variables=given).key
        await eventually(lambda: key in self.incidents)
        return self.incidents[key]

    def _read(self, record):
        if (record.value_type, record.intent) == ("INCIDENT", "CREATED"):
            self.incidents[record.value["processInstanceKey"]] = record.value["errorMessage"]


async def page(request):
    return web.Response(text="hello", status=200 if request.path == "/s3cr3t-path" else 404)


async def test_the_documented_connector_does_its_job(stack, at_work):
    """Secrets, result variable and result expression work for it without a word in its code."""
    runs = Runs(stack, resultVariable="page", resultExpression="={twice: 2 * response.size}")
    async with serving(page) as origin:
        ended = await runs.variables(url=f"{origin}/{{{{secrets.TOKEN}}}}")
    assert (ended["page"], ended["twice"]) == ({"status": 200, "size": 5}, 10)


async def test_the_documented_connector_fails_as_any_other(stack, at_work):
    """Its faults become incidents, and an error expression can turn them around."""
    runs = Runs(
        stack, errorExpression='=if error.code = "AWAY" then ignoreError({up: false}) else null'
    )
    assert (await runs.variables(url="http://127.0.0.1:1/{{secrets.TOKEN}}"))["up"] is False
    assert "url: is not a text" in await runs.incident(url=7)
    assert "'NOBODY' is not available" in await runs.incident(url="{{secrets.NOBODY}}")
