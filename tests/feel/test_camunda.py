"""What Camunda's own engine, feel-engine 1.19.3 of Camunda 8.8, was seen to answer.

`camunda.jsonl` has one observation a line: `expr` with its `ctx`, or unary `tests` with their
`input`, and what they came to; `{"$error": true}` stands for a text that it does not parse and for
an `assert` that fails.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import feel
from tests.kit.feel_cases import RAISES
from tests.kit.feel_values import same

OBSERVED = [
    json.loads(line)
    for line in Path(__file__).with_name("camunda.jsonl").read_text("utf-8").splitlines()
]


def _answer(row):
    context = row.get("ctx", {})
    try:
        if "tests" in row:
            return feel.unary_tests(row["tests"]).evaluate(row["input"], context)
        return feel.to_json(feel.compile(row["expr"]).evaluate(context))
    except feel.FeelError:
        return RAISES


def test_every_observed_expression_has_the_same_result_here():
    """1,871 expressions over all functions, operators and types come to what Camunda makes."""
    answers = [(row, _answer(row)) for row in OBSERVED]
    assert [(row, answer) for row, answer in answers if not same(answer, row["expected"])] == []
    assert len(answers) == 1871


CONTEXT = {
    "n": 2,
    "item": 2,
    "rows": [{"n": 1}, {"n": 2}, {"n": 5}],
    "flags": [{"n": True}, {"n": False}],
    "instance": {"key": 7},
    "two": 2.0,
}

MENDED = {
    # What a call with names leaves out is null.
    "get or else(default: 7)": 7,
    "get or else(value: 2)": 2,
    'context put(context: {a: 1}, key: "b")': {"a": 1, "b": None},
    "index of(list: [1, null])": [2],
    "assert(value: 2)": RAISES,
    "concatenate(lists: [])": [],
    "append(list: [1], items: [])": [1],
    "put all(contexts: [])": {},
    "concatenate()": None,
    "sum(list: 1)": None,
    "sum(list: [1, 2])": 3,
    "sum(1)": 1,
    "sum([[1]])": None,
    "all(list: true)": None,
    "mode(list: [])": [],
    "append([1])": None,
    # The names that the engine has for its parameters.
    'extract(input: "foobar", pattern: "o+")': ["oo"],
    "sublist(list: [1, 2, 3], start: 2)": [2, 3],
    'abs(number: @"-PT90M")': "PT1H30M",
    # A filter that is a number by the variables outside is an index.
    "rows[n]": {"n": 2},
    "rows[n + 0]": {"n": 2},
    "rows[-n]": {"n": 2},
    "rows[if n > 1 then n else 1]": {"n": 2},
    "rows[abs(n)]": {"n": 1},
    "flags[n]": {"n": False},
    "[5, 6, 7][item]": 6,
    "[5, 6, 7][item - 1]": 5,
    "[5, 6, 7][item > 5]": [6, 7],
    "rows[n = 5]": [{"n": 5}],
    "[1, 2][and(true, item = 1)]": [1],
    "[1, 2][or(item = 1, false)]": [1],
    "1 in ]0..2[ and (true)": True,
    # Numbers.
    "for i in 0.5..2.2 return i": [0.5, 1.5],
    "for i in 2..-0.5 return i": [2, 1, 0],
    "for i in 1..3.5 return i": [1, 2, 3],
    "for i in null..3 return i": None,
    "string(1.0)": "1.0",
    "string(1.10 + 0)": "1.10",
    "string(decimal(5, 2))": "5.00",
    "string(round half up(5.1, 2))": "5.10",
    "string(100.00 / 2)": "50.00",
    "string(0.0 * -1)": "0.0",
    "string(-0.0)": "0.0",
    "string(two)": "2.0",
    "string(two + 1)": "3.0",
    "[1, 2, 3][two]": 2,
    "two = 2": True,
    "string([1.50, 2])": "[1.50, 2]",
    "string(2 ** 0.5)": "1.4142135623730951",
    "string(sqrt(2))": "1.4142135623730951",
    "string(exp(1))": "2.718281828459045",
    "string(log(2))": "0.6931471805599453",
    "string(stddev(1, 2))": "0.7071067811865476",
    'string(number("1.50"))': "1.50",
    "decimal(5, 2)": 5,
    "[1, 2, 3][2.0]": 2,
    'number("1", null)': None,
    'number("1", null, null)': None,
    'number("1.5", " ", ",")': 1.5,
    "0 ** -1": None,
    "0 ** -0.5": None,
    "(-8) ** 0.5": None,
    # A point that has no place among those of the range.
    "starts(null, (1..3))": None,
    'finished by((1..3), "a")': None,
    "starts(1, (1..3))": False,
    # Tests of a value.
    "false in (1, true)": True,
    "5 in (true)": True,
    "5 in true": None,
    "[5 in true, 5 in false]": [True, False],
    "5 in true or false": True,
    "false in true": False,
    # Texts.
    'replace("foobar", "(o)", "$10")': "fo0o0bar",
    r'replace("foobar", "o", "\\")': None,
    r'replace("foobar", "x", "\\")': "foobar",
    'is blank("\u00a0")': False,
    'is blank("\u2003")': True,
    'string length(trim("\u00a0a "))': 2,
    'string join(["a"], ",", "[")': None,
    'string join(["a", "b"], ",", "[", "]")': "[a,b]",
    "sublist([1, 2, 3], -5, 3)": [1],
    "sublist([1, 2, 3], -5, 2)": [],
    "sublist([1, 2, 3], -5)": [1, 2, 3],
    # Times.
    'time(1, 1, 1, @"PT19H")': None,
    'date("+2020-01-01")': None,
    'date("02020-01-01")': None,
    '@"14:27:30@+01:00"': "14:27:30+01:00",
    '@"2020-07-31T14:27:30@Z"': "2020-07-31T14:27:30Z",
    '@"14:27:30z"': None,
    '@"+P1D"': None,
    # A keyword before a `.` is a name.
    "instance.key": 7,
}


@pytest.mark.parametrize(("text", "result"), MENDED.items(), ids=MENDED)
def test_an_expression_that_once_differed_has_the_result_of_camunda(text, result):
    """Each comes to what Camunda's engine makes of it, where this one once made something else."""
    assert same(_answer({"expr": text, "ctx": CONTEXT}), result)


@pytest.mark.parametrize(
    ("tests", "value", "passes"),
    [
        ("1 < 2", False, True),
        ("1 > 2", False, True),
        ("1 > 2", 3, False),
        ("true", False, False),
        ("true", "a", None),
        ("4, true", 3, None),
        ("4, true", None, False),
        ("(true)", 3, True),
        ("true, 3", False, True),
        ("not(true)", None, False),
        ("true, false", "a", True),
    ],
)
def test_a_unary_test_that_is_true_passes_any_value(tests, value, passes):
    """As on Camunda: only `true` at the end asks whether the value is true."""
    assert feel.unary_tests(tests).evaluate(value) is passes
