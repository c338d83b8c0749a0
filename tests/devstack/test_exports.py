"""Where a stack's records go: a file, a receiver, an Elasticsearch."""

from __future__ import annotations

import asyncio

import aiohttp
import orjson
from aiohttp import web
from pydantic import SecretStr

from devstack.engine import Resource
from devstack.stack import Stack, StackOptions
from tests.kit.http import serving
from tests.kit.user_task import APPROVAL
from tests.kit.waiting import eventually


def start_approval(stack):
    stack.engine.deploy([Resource("approval.bpmn", APPROVAL.encode())])
    stack.engine.create_instance(process_id="approval")


def positions(lines):
    return [orjson.loads(line)["position"] for line in lines.splitlines()]


async def test_the_file_has_every_record_when_the_engine_goes_on(tmp_path):
    """Each record is a line of the file at once, in order, without a gap."""
    path = tmp_path / "records.jsonl"
    async with Stack.start(StackOptions(port_base=0, records=path)) as stack:
        start_approval(stack)
        lines = path.read_bytes()
        assert b'"USER_TASK"' in lines
        assert positions(lines) == list(range(1, len(lines.splitlines()) + 1))


async def test_records_are_pushed_in_order_until_they_are_taken():
    """A receiver that refuses gets the same records again, with the key."""
    bodies, keys, refusals = [], [], [503, 429]

    async def receive(request):
        keys.append(request.headers["x-api-key"])
        body = await request.read()
        if refusals:
            return web.Response(status=refusals.pop())
        bodies.append(body)
        return web.Response(status=204)

    async with serving(receive) as url:
        options = StackOptions(port_base=0, push_url=url, push_key=SecretStr("k"))
        async with Stack.start(options) as stack:
            start_approval(stack)
            await eventually(lambda: bodies and b'"CREATED"' in bodies[-1])
            await asyncio.sleep(0)
    pushed = positions(b"".join(bodies))
    assert pushed == list(range(1, len(pushed) + 1))
    assert set(keys) == {"k"}


async def test_the_elasticsearch_is_one_of_the_stacks_servers():
    """A stack with one serves its records there, and it has faults of its own."""
    options = StackOptions(port_base=0, elasticsearch=True, refresh_s=0)
    async with Stack.start(options) as stack, aiohttp.ClientSession() as session:
        start_approval(stack)
        url = f"{stack.elasticsearch_url}/zeebe-record-user-task/_search"
        async with session.post(url, json={}) as response:
            hits = (await response.json())["hits"]["hits"]
        assert {hit["_source"]["intent"] for hit in hits} == {"CREATING", "CREATED"}
        assert {"elasticsearch", "backend"} <= stack.faults.keys()
