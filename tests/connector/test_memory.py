"""What a job leaves behind: nothing, since Python is told to look for circles seldom."""

from __future__ import annotations

import gc
from contextlib import contextmanager

import pytest

from tests.kit.http import serving
from tests.kit.jobs import job, variables
from tests.kit.operate import Operate, answer, page
from tests.kit.pipeline import pipelines

WITH_A_404 = '=if error.code = "404" then ignoreError() else null'


@contextmanager
def circles():
    """Give a list that holds, after the block, what only the collector would have found in it."""
    found = []
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found += map(type, gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


@pytest.mark.parametrize(
    ("status", "body", "headers", "request_"),
    [
        (200, page({"key": 1}), {}, {}),
        (200, page({"key": 1}), {"resultExpression": "={n: count(response.body.items)}"}, {}),
        (200, page({"key": 1}), {"resultExpression": "=5"}, {}),
        (200, page({"key": 1}), {"resultExpression": "="}, {}),
        (200, page({"key": 1}), {"errorExpression": "="}, {}),
        (200, b"<html>", {}, {}),
        (401, {}, {}, {}),
        (404, {}, {"errorExpression": WITH_A_404}, {}),
        (500, {"message": "no"}, {}, {}),
        (200, {}, {}, {"endpoint": "nothing"}),
        (200, {}, {"retryBackoff": "soon"}, {}),
    ],
    ids=[
        "good",
        "result expression",
        "no object",
        "broken result expression",
        "broken error expression",
        "no JSON",
        "401 twice",
        "404 ignored",
        "500",
        "bad input",
        "bad header",
    ],
)
async def test_a_job_leaves_no_circles(status, body, headers, request_):
    """However it ends, its answer and its secrets go with it and wait for no collector."""
    operate = Operate()
    async with serving(operate) as origin, pipelines() as running:
        cluster = {"operateUrl": origin, "tokenUrl": f"{origin}/token"}
        request = variables()["request"] | request_
        given = job(variables(cluster=cluster, request=request), headers=headers)

        async def handle():
            operate.script.clear()
            operate.say(answer(body, status), answer(body, status))
            await running.handle(given)

        # The first job fills caches and opens connections.
        await handle()
        with circles() as found:
            for _ in range(3):
                await handle()
        assert found == []


async def test_a_job_that_reaches_nobody_leaves_no_circles():
    """An outage of hours fills no memory with what its jobs brought."""
    async with pipelines() as running:
        cluster = {"operateUrl": "http://127.0.0.1:1"}
        given = job(variables(cluster=cluster, authentication={"type": "none"}))
        await running.handle(given)
        with circles() as found:
            for _ in range(3):
                await running.handle(given)
        assert found == []
