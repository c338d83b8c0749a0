"""What is different from upstream on purpose and has no test elsewhere."""

from __future__ import annotations

import asyncio

import orjson
import pytest
import structlog
from aiohttp import web

from connector.secrets import EnvironmentSecrets, resolve
from tests.kit.http import serving
from tests.kit.jobs import job, variables
from tests.kit.operate import Operate, answer, page
from tests.kit.pipeline import pipelines
from worker.outcome import Complete, Fail


@pytest.fixture
async def operate():
    operate = Operate()
    async with serving(operate) as operate.origin:
        yield operate


@pytest.fixture
async def pipeline():
    async with pipelines() as both:
        yield both


def asking(origin, **headers):
    """A job that searches at `origin`."""
    cluster = {"operateUrl": origin, "tokenUrl": f"{origin}/token"}
    return job(variables(cluster=cluster), headers=headers)


async def test_an_error_body_that_is_a_list_is_parsed(pipeline, operate):
    """Upstream gives null for an error body that is an array of several."""
    operate.say(answer([{"a": 1}, {"b": 2}], 400))
    outcome = await pipeline.handle(asking(operate.origin))
    response = orjson.loads(outcome.variables_json)["error"]["variables"]["response"]
    assert response["body"] == [{"a": 1}, {"b": 2}]


async def test_a_job_waits_as_long_as_the_api_asks(pipeline, operate):
    """The back-off is the longer of the task's and the answer's; upstream knows only the task's."""
    operate.say(answer({}, 429, Retry_After="60"), answer({}, 429, Retry_After="1"))
    waits = [
        (await pipeline.handle(asking(operate.origin, retryBackoff="PT30S"))).backoff_ms
        for _ in range(2)
    ]
    assert waits == [60_000, 30_000]


async def test_create_document_says_that_there_is_no_store(pipeline, operate):
    """A function that cannot be had is refused with what to do instead."""
    operate.say(answer(page()))
    headers = {"resultExpression": "={d: createDocument(response.body)}"}
    outcome = await pipeline.handle(asking(operate.origin, **headers))
    assert isinstance(outcome, Fail)
    assert "this connector has no document store" in outcome.message


async def test_a_wrong_argument_of_job_error_is_named(pipeline, operate):
    """Upstream fails with a cast between Java classes."""
    operate.say(answer(page()))
    headers = {"errorExpression": '=jobError("m", {}, "three")'}
    outcome = await pipeline.handle(asking(operate.origin, **headers))
    assert "Parameter 'retries' of function 'jobError' must be a Number" in outcome.message


async def test_a_result_of_nothing_is_explained_in_the_log(pipeline, operate):
    """The job completes, as upstream; the log says once for each task why nothing came of it."""
    operate.say(answer(page()), answer(page()), answer(page()))
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            outcome = await pipeline.handle(
                asking(operate.origin, resultExpression="={x: respnse.body}")
            )
            assert outcome == Complete(b'{"x":null}')
        await pipeline.handle(asking(operate.origin, resultExpression="={x: response.body}"))
    (told,) = [log for log in logs if log["event"] == "result expression gave nothing"]
    assert told["why"].startswith("no variable `respnse`; did you mean `response`")
    assert told["element_id"] == "find-stuck"


async def test_a_broken_error_expression_keeps_the_error_before_it(pipeline, operate):
    """Upstream loses what went wrong in the first place."""
    operate.say(answer({"message": "first"}, 404))
    outcome = await pipeline.handle(asking(operate.origin, errorExpression="={a: "))
    assert outcome.retries == 0
    assert outcome.message.index("Failed to evaluate") < outcome.message.index("first")


def test_a_name_in_braces_has_an_end():
    """What looks like the beginning of a reference is not searched for its end without limit."""
    sources = [EnvironmentSecrets({f"S_{'x' * 500}": "found", f"S_{'x' * 501}": "no"}, "S_")]
    for length, expected in ((500, "found"), (501, "{{no}}")):
        given = {"a": f"{{{{secrets.{'x' * length}}}}}"}
        # The bare form knows no braces, and finds a name of any length.
        assert asyncio.run(resolve(given, sources, job())).variables["a"] == expected


async def test_a_503_is_left_to_the_jobs_retries(pipeline):
    """One request a try: upstream's HTTP client asks once more by itself."""
    asked = []

    async def unwell(request):
        asked.append(request.path)
        return web.Response(status=503)

    async with serving(unwell) as origin:
        given = variables(cluster={"operateUrl": origin}, authentication={"type": "none"})
        outcome = await pipeline.handle(job(given))
    assert (outcome.retries, len(asked)) == (2, 1)
