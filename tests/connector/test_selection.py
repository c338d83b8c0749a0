import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import feel
from connector.headers import TaskHeaders
from connector.json_text import JsonText
from connector.response import Response
from connector.result import output
from connector.selection import selection

BODY = b'{"items":[{"key":9223372036854775807,"v":1.50}],"total":1}'


def response():
    """An answer that nobody has looked into."""
    return Response(200, {"Content-Type": "application/json"}, JsonText(BODY), "OK")


def variables(expression, answer=None, **headers):
    """The encoded output of an answer for a result expression."""
    asked = TaskHeaders(result_expression=expression, **headers)
    return output(answer or response(), asked).to_json()


def test_a_picked_body_reaches_the_process_byte_for_byte():
    """The template's default expression copies the body without reading it."""
    answer = response()
    picked = variables("={operateResponse: response.body}", answer)
    assert picked == b'{"operateResponse":' + BODY + b"}"
    assert "value" not in answer.body.__dict__


@pytest.mark.parametrize(
    "expression",
    [
        "{a: response.body, b: status, c: response.headers, d: reason, e: nothing}",
        "{a: body, b: response}",
        "{a: response.body.total, b: response.body.items}",
        "{a: response.status.deeper}",
        "{a: body.items.key}",
        '{"with blank": response.reason}',
        "{a: status, b: a}",
        "{response: status, b: response.status}",
        "{a: response.nothing}",
        "{}",
    ],
)
def test_a_picked_result_is_what_the_expression_gives(expression):
    """Picking and evaluating are two ways to the same variables."""
    picked = orjson.loads(variables(expression))
    evaluated = orjson.loads(variables(expression, error_expression="null"))
    assert picked == evaluated


def test_an_expression_that_does_more_is_evaluated():
    """Only paths are picked; everything else goes through FEEL."""
    assert selection("{a: count(response.body.items)}") is None
    assert selection("response") is None
    assert orjson.loads(variables("{a: count(response.body.items)}")) == {"a": 1}


_NAMES = st.sampled_from(["response", "body", "status", "headers", "reason", "items", "total", "x"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=4).map(".".join)


@given(st.dictionaries(_NAMES, _PATHS, max_size=4))
def test_any_paths_give_the_same_either_way(entries):
    """Whatever a result expression picks, it gets what FEEL would give."""
    expression = "{" + ", ".join(f"{name}: {path}" for name, path in entries.items()) + "}"
    value = response().value()
    expected = feel.to_json(feel.compile(expression).evaluate({**value, "response": value}))
    assert orjson.loads(variables(expression)) == expected
