"""Expressions with their results, collected from public test suites and documentation."""

from __future__ import annotations

import json

import pytest

import feel
from tests.kit.feel_cases import CASES, RAISES
from tests.kit.feel_values import same


def _error_function(name, parameters, required):
    def call(*arguments):
        given = dict(zip(parameters, arguments, strict=True))
        return {"errorType": name} | {key: val for key, val in given.items() if val is not None}

    return feel.Function(name, parameters, call, required)


FUNCTIONS = {
    function.name: function
    for function in [
        _error_function("bpmnError", ("code", "message", "variables"), 1),
        _error_function("jobError", ("message", "variables", "retries", "retryBackoff"), 1),
        _error_function("ignoreError", ("variables",), 0),
    ]
}


def _result(case):
    try:
        value = feel.compile(case["expr"]).evaluate(case["ctx"], functions=FUNCTIONS)
    except feel.FeelError:
        return RAISES
    return feel.to_json(value)


@pytest.mark.parametrize("case", CASES, ids=[f"{case['id']}-{case['cat']}" for case in CASES])
def test_expression_has_the_result_that_its_source_gives(case):
    """Each collected expression comes to the result that its source states."""
    assert same(_result(case), case["expected"])


def test_evaluation_changes_no_context():
    """No collected expression changes the context that it is given."""
    for case in CASES:
        context = json.loads(json.dumps(case["ctx"]))
        _result({**case, "ctx": context})
        assert context == case["ctx"]
