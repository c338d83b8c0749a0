"""What no task and no API should bring: each costs its own job, and no other."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from math import inf

import orjson
import pytest
from aiohttp import web

import feel
from tests.kit.cpu import least_cpu_s, only_its_own_garbage
from tests.kit.http import saying, serving, talking
from tests.kit.jobs import SEARCH, job, variables
from tests.kit.operate import Operate, answer, page
from tests.kit.pipeline import pipelines
from worker.outcome import Complete, Fail, ThrowError


@pytest.fixture
async def operate():
    operate = Operate()
    async with serving(operate) as operate.origin:
        yield operate


@pytest.fixture
async def pipeline():
    async with pipelines() as both:
        yield both


def asking(origin, headers=None, **sections):
    """A job that searches at `origin`."""
    cluster = {"operateUrl": origin, "tokenUrl": f"{origin}/token"}
    return job(variables(cluster=cluster, **sections), headers=headers)


async def still_works(pipeline, operate):
    """Whether the next job is done as if nothing had happened."""
    operate.script.clear()
    operate.say(answer(page()))
    outcome = await pipeline.handle(asking(operate.origin, {"resultVariable": "got"}))
    return isinstance(outcome, Complete)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retryBackoff": "30s"}, "Failed to parse retry backoff header"),
        ({"retryBackoff": ""}, "Failed to parse retry backoff header"),
        ({"retryBackoff": "P" + "1" * 100_000 + "D"}, "Failed to parse retry backoff header"),
        ({"jobTimeout": "soon"}, "Failed to parse job timeout header"),
        ({"jobTimeout": "PT0S"}, "must be a positive duration"),
        ({"retryBackoff": 30}, "The task header retryBackoff is no text"),
        ({"resultExpression": {"a": 1}}, "The task header resultExpression is no text"),
        ({"errorExpression": ["x"]}, "The task header errorExpression is no text"),
    ],
)
async def test_a_header_that_cannot_be_read_ends_the_job(pipeline, operate, headers, expected):
    """Nobody is called, no retry is left, and the message names the header."""
    outcome = await pipeline.handle(asking(operate.origin, headers))
    assert isinstance(outcome, Fail)
    assert outcome.retries == 0
    assert expected in outcome.message
    assert len(outcome.message) <= 6000
    assert operate.asked == []


@pytest.mark.parametrize("text", ["[]", "7", "{", '"x"'])
async def test_headers_that_are_no_object_end_the_job(pipeline, operate, text):
    """Headers of another shape are named as such."""
    outcome = await pipeline.handle(replace(asking(operate.origin), custom_headers_json=text))
    assert (outcome.retries, "no JSON object" in outcome.message) == (0, True)


@pytest.mark.parametrize(
    "text",
    ["[]", "7", '{"cluster": ', '{"cluster": "\\ud800"}', '{"cluster": ' + "[" * 5000],
)
async def test_variables_that_cannot_be_read_end_the_job(pipeline, operate, text):
    """So do variables, half surrogates and endless nesting included."""
    outcome = await pipeline.handle(replace(asking(operate.origin), variables_json=text))
    assert (outcome.retries, "variables of the job" in outcome.message) == (0, True)


async def test_an_input_that_is_nested_too_deeply_ends_the_job(pipeline, operate):
    """What is nested deeper than JSON can be written is told, not met as a defect of ours."""
    deep = "[" * 900 + "]" * 900
    text = orjson.dumps(variables(request={**SEARCH, "sort": "DEEP"})).decode()
    outcome = await pipeline.handle(
        replace(asking(operate.origin), variables_json=text.replace('"DEEP"', deep))
    )
    assert isinstance(outcome, Fail)
    assert outcome.retries == 0
    assert await still_works(pipeline, operate)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("=[response.body]", "must return a JSON object, but got array"),
        ('="text"', "must return a JSON object, but got string"),
        ("={a: ", "line 1, column 5"),
        ("={a: 1}\n  b", "line 2, column 3"),
        ("={a: for i in 1..100000, j in 1..100000 return i}", "an evaluation may take"),
        ("={a: for i in 1..999999999 return i}", "a list may have"),
        ("={a: " + "(" * 5000 + ")" * 5000 + "}", "Failed to evaluate expression"),
        ("={a: " + "1+" * 50_000 + "1}", "Failed to evaluate expression"),
    ],
    ids=lambda text: text[:24],
)
async def test_a_bad_result_expression_ends_the_job(pipeline, operate, expression, expected):
    """Wrong kinds, broken syntax with its position, and what would not end are told."""
    operate.say(answer(page()))
    outcome = await pipeline.handle(asking(operate.origin, {"resultExpression": expression}))
    assert isinstance(outcome, Fail)
    assert expected in outcome.message
    assert "Mend the result" in outcome.message or outcome.retries == 0
    assert await still_works(pipeline, operate)


async def test_an_error_expression_that_loops_is_ended(pipeline, operate):
    """It is stopped before others wait long, and the error that it was given is kept."""
    operate.say(answer({"message": "the first"}, 500))
    looping = "=if count(for i in 1..1000, j in 1..1000 return i * j) > 1 then null else null"
    outcome = await pipeline.handle(asking(operate.origin, {"errorExpression": looping}))
    assert outcome.retries == 0
    # On a busy machine the limit in seconds may come before the one in steps.
    assert "an evaluation may take" in outcome.message
    assert "the first" in outcome.message


async def test_a_looping_expression_holds_others_up_for_a_moment_only(pipeline, operate):
    """One job's expression blocks the loop as long as half a million steps do, about 0.1 s."""
    looping = "{a: for i in 1..1000, j in 1..1000, k in 1..1000 return [i, j, k]}"

    def take_half_a_million_steps():
        with pytest.raises(feel.LimitExceeded):
            feel.compile(looping).evaluate(limits=feel.Limits(steps=500_000, deadline_s=inf))

    async def longest_s():
        longest_s = 0.0
        operate.say(answer(page()))
        handling = asyncio.create_task(
            pipeline.handle(asking(operate.origin, {"resultExpression": f"={looping}"}))
        )
        while not handling.done():
            began_s = time.process_time()
            await asyncio.sleep(0)
            longest_s = max(longest_s, time.process_time() - began_s)
        return longest_s

    with only_its_own_garbage():
        held_up_s = min([await longest_s() for _ in range(3)])
        assert held_up_s < 3 * least_cpu_s(take_half_a_million_steps)


@pytest.mark.parametrize(
    ("expression", "retries"),
    [('=jobError("no", {}, -3)', 0), ('=jobError("no", {}, 2)', 2), ('=jobError("no")', 0)],
)
async def test_negative_retries_are_none(pipeline, operate, expression, retries):
    """An error expression cannot ask for fewer than no retries."""
    operate.say(answer(page()))
    outcome = await pipeline.handle(asking(operate.origin, {"errorExpression": expression}))
    assert (outcome.retries, outcome.message.split(" |")[0]) == (retries, "no")


@pytest.mark.parametrize("expression", ["=[1]", "=1", '="x"', "={a: 1}", '={errorType: "?"}'])
async def test_an_error_expression_of_another_kind_ends_the_job(pipeline, operate, expression):
    """A list, a number, a text or a foreign object is no decision."""
    operate.say(answer(page()))
    outcome = await pipeline.handle(asking(operate.origin, {"errorExpression": expression}))
    assert isinstance(outcome, Fail)
    assert outcome.retries == 0


@pytest.mark.slow
async def test_a_body_of_60_mb_fails_its_job_only(pipeline, operate):
    """It is not read to its end, and the message names the limit that it passed."""
    operate.say(web.Response(body=b"[" + b"1," * 30_000_000 + b"1]"))
    outcome = await pipeline.handle(asking(operate.origin))
    assert outcome.retries == 2
    assert "CONNECTOR_MAX_RESPONSE_BYTES" in outcome.message
    assert await still_works(pipeline, operate)


async def test_a_body_that_fits_but_is_too_much_for_a_process_says_so(pipeline, operate):
    """Two megabytes can be searched by an expression, not given to the process whole."""
    body = page(*[{"key": number, "name": "x" * 1000} for number in range(2000)])
    operate.say(answer(body), answer(body))
    whole = await pipeline.handle(asking(operate.origin, {"resultVariable": "all"}))
    assert (whole.retries, "than the 1572864 that a process takes" in whole.message) == (0, True)
    part = {"resultExpression": "={last: response.body.items[-1].key}"}
    outcome = await pipeline.handle(asking(operate.origin, part))
    assert orjson.loads(outcome.variables_json) == {"last": 1999}


async def test_a_response_header_of_100_kb_fails_its_job_only(pipeline, operate):
    """A header beyond every limit is not HTTP as anybody speaks it."""
    head = b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\nContent-Length: 2\r\n\r\n{}"
    async with talking(saying(head)) as origin:
        outcome = await pipeline.handle(asking(origin, authentication={"type": "none"}))
    assert isinstance(outcome, Fail)
    assert outcome.retries == 2
    assert await still_works(pipeline, operate)


async def test_a_credential_of_100_kb_fails_its_job_only(pipeline, operate):
    """What is too long for a header is refused by the server, and told as its answer."""
    login = {"type": "basic", "username": "x" * 100_000, "password": "y"}
    outcome = await pipeline.handle(asking(operate.origin, authentication=login))
    assert isinstance(outcome, Fail)
    assert len(outcome.message) <= 6000
    assert await still_works(pipeline, operate)


async def test_a_task_header_of_100_kb_fails_its_job_only(pipeline, operate):
    """A long expression that is broken does not hide why it is."""
    operate.say(answer(page()))
    expression = "={a: " + '"' + "x" * 100_000 + '"} }'
    outcome = await pipeline.handle(asking(operate.origin, {"resultExpression": expression}))
    assert "Failed to evaluate expression" in outcome.message
    assert "Mend the result expression" in outcome.message


@pytest.mark.parametrize("status", [200, 500])
async def test_invalid_utf_8_fails_its_job_only(pipeline, operate, status):
    """Bytes that are no text end the job, and what is shown of them can be written."""
    operate.say(web.Response(body=b'{"items":["\xff\xfe"]}', status=status))
    outcome = await pipeline.handle(asking(operate.origin))
    assert isinstance(outcome, Fail)
    assert outcome.message.encode()
    assert orjson.loads(outcome.variables_json)["error"]["message"]


async def test_a_deeply_nested_error_body_is_kept_as_text(pipeline, operate):
    """What is nested too deeply for JSON to be written again is text to an expression."""
    operate.say(web.Response(body=b"[" * 500 + b"]" * 500, status=500))
    outcome = await pipeline.handle(asking(operate.origin))
    body = orjson.loads(outcome.variables_json)["error"]["variables"]["response"]["body"]
    assert body == "[" * 500 + "]" * 500


async def test_a_deeply_nested_answer_can_be_kept_whole_or_is_refused(pipeline, operate):
    """An expression that picks from it ends in a failure that says why."""
    deep = b'{"items":[' + b"[" * 400 + b"]" * 400 + b'],"sortValues":[],"total":1}'
    operate.say(answer(deep), answer(deep))
    assert isinstance(
        await pipeline.handle(asking(operate.origin, {"resultVariable": "a"})), Complete
    )
    picking = {"resultExpression": "={a: response.body.items[1], b: 1 + 1}"}
    outcome = await pipeline.handle(asking(operate.origin, picking))
    assert isinstance(outcome, Fail)
    assert "nested more than two hundred levels deep" in outcome.message


async def test_a_misspelt_name_is_told_in_the_incident(pipeline, operate):
    """An error expression that decides nothing because of a slip names what it does not know."""
    operate.say(answer({"message": "no"}, 404), answer({"message": "no"}, 404))
    slip = '=if erorr.code = "404" then bpmnError("NOT_FOUND") else null'
    outcome = await pipeline.handle(asking(operate.origin, {"errorExpression": slip}))
    assert "no variable `erorr`; did you mean `error`" in outcome.message
    right = '=if error.code = "404" then bpmnError("NOT_FOUND") else null'
    assert isinstance(
        await pipeline.handle(asking(operate.origin, {"errorExpression": right})), ThrowError
    )


async def test_a_part_that_is_null_explains_a_result_of_the_wrong_kind(pipeline, operate):
    """An incident about an expression names what it asked for in vain, and no value."""
    operate.say(answer(page()))
    headers = {"resultExpression": "=[response.boody]"}
    outcome = await pipeline.handle(asking(operate.origin, headers))
    assert "the context has no entry `boody`; did you mean `body`" in outcome.message
