"""The interface: compiling, evaluating, functions of the caller, results as JSON."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext
from types import MappingProxyType

import pytest

import feel


def test_the_public_names_are_these():
    """What can be imported from the package is a promise; a change belongs in the changelog."""
    assert sorted(feel.__all__) == [
        "AssertionFailed",
        "EvaluationWarning",
        "Explanation",
        "Expression",
        "FeelError",
        "FeelEvaluationError",
        "FeelSyntaxError",
        "Function",
        "FunctionFailed",
        "FunctionUnavailable",
        "Json",
        "LimitExceeded",
        "Limits",
        "NotJson",
        "Range",
        "UnaryTestsExpression",
        "Value",
        "YearsMonths",
        "compile",
        "to_json",
        "unary_tests",
    ]
    assert all(hasattr(feel, name) for name in feel.__all__)


@pytest.mark.parametrize("text", ["1 + x", "=1 + x", "  = 1 + x  ", "\n=\n1 + x"])
def test_a_leading_equals_sign_and_blanks_are_allowed(text):
    """An expression may be written as Camunda stores it or without its `=`."""
    assert feel.compile(text).evaluate({"x": 2}) == 3


def test_the_same_text_is_compiled_once():
    """A text that was compiled before comes from the cache."""
    assert feel.compile("x + 41") is feel.compile("x + 41")


def test_any_mapping_and_sequence_can_be_read():
    """Contexts and lists need not be dict and list, and are not copied."""
    context = MappingProxyType({"c": MappingProxyType({"items": ({"a": 1}, {"a": 2})})})
    expression = feel.compile("{all: c.items.a, last: c.items[-1].a, two: c.items[a = 2]}")
    assert feel.to_json(expression.evaluate(context)) == {
        "all": [1, 2],
        "last": 2,
        "two": [{"a": 2}],
    }


def test_a_result_shares_what_it_only_picks():
    """What an expression only picks from the context is the same object, not a copy."""
    context = {"a": {"b": [1, 2, 3]}}
    assert feel.compile("a.b").evaluate(context) is context["a"]["b"]


def _pair(first, second=None):
    return {"first": first, "second": second}


PAIR = feel.Function("pair", ("first", "second thing"), _pair, required=1)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("pair(1, 2)", {"first": 1, "second": 2}),
        ("pair(1)", {"first": 1, "second": None}),
        ("pair(second thing: 2, first: 1)", {"first": 1, "second": 2}),
        ("pair(first: 1)", {"first": 1, "second": None}),
        ("pair()", None),
        ("pair(1, 2, 3)", None),
        ("pair(third: 1)", None),
    ],
)
def test_a_function_of_the_caller_is_called_by_place_or_by_name(text, result):
    """Parameters that may be left out are None; arguments that do not fit make the call null."""
    assert feel.compile(text).evaluate(functions={"pair": PAIR}) == result


def test_a_function_of_the_caller_may_have_blanks_and_replace_a_built_in_one():
    """Names with blanks are called as they are, and the caller's function comes first."""
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    functions = {
        "now": feel.Function("now", (), lambda: noon),
        "my own": feel.Function("my own", ("x",), lambda x: x * 2),
    }
    assert feel.compile("now()").evaluate(functions=functions) == noon
    assert feel.compile("my own(21)").evaluate(functions=functions) == 42


def test_a_function_of_the_caller_can_end_the_evaluation():
    """`FunctionFailed` goes through with its message and is told apart from all other errors."""

    def refuse(_value):
        raise feel.FunctionFailed("give a code that is a text")

    functions = {"check": feel.Function("check", ("value",), refuse)}
    with pytest.raises(feel.FunctionFailed, match="give a code that is a text"):
        feel.compile("{a: check(1)}").evaluate(functions=functions)


def test_an_error_of_the_callers_function_goes_through_unchanged():
    """A bug in a function of the caller is not hidden as null."""
    functions = {"boom": feel.Function("boom", (), [].pop)}
    with pytest.raises(IndexError):
        feel.compile("boom()").evaluate(functions=functions)


def test_a_function_can_be_passed_on_as_a_value():
    """A function that one expression makes can be a variable of another."""
    double = feel.compile("function(x) x * 2").evaluate()
    assert feel.compile("double(21)").evaluate({"double": double}) == 42
    assert feel.compile("[1, 2][double(item) = 4]").evaluate({"double": double}) == [2]


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (9007199254740993, 9007199254740993),
        (Decimal("2.50"), 2.5),
        (Decimal("3.000"), 3),
        (Decimal("1E+20"), 10**20),
        (date(2020, 2, 29), "2020-02-29"),
        (time(10, 30, tzinfo=UTC), "10:30:00Z"),
        (datetime(2020, 2, 29, 10, 30, 0, 120_000), "2020-02-29T10:30:00.12"),  # noqa: DTZ001 - local
        (timedelta(days=1, hours=2), "P1DT2H"),
        (-timedelta(minutes=90), "-PT1H30M"),
        (timedelta(), "P0D"),
        (feel.YearsMonths(14), "P1Y2M"),
        (feel.YearsMonths(-1), "-P1M"),
        (feel.Range(1, 5, end_included=False), "[1..5)"),
        ({"a": [Decimal("0.1"), None, True]}, {"a": [0.1, None, True]}),
        ("\ud83d", "�"),
    ],
)
def test_a_result_becomes_plain_json(value, result):
    """Whole numbers stay exact, temporal values become text, and UTF-8 can carry every text."""
    plain = feel.to_json(value)
    assert plain == result
    assert type(plain) is type(result)
    assert json.loads(json.dumps(plain).encode()) == result


@pytest.mark.parametrize("value", [PAIR, float("nan"), float("inf"), Decimal("NaN"), object()])
def test_what_has_no_json_form_is_refused(value):
    """Functions, numbers that are not finite and foreign objects raise."""
    with pytest.raises(feel.NotJson):
        feel.to_json([value])


def test_the_decimal_context_of_the_thread_has_no_say():
    """Fractions have 34 digits whatever precision the caller works with."""
    with localcontext() as context:
        context.prec = 3
        value = feel.compile("-(1 / 3) + abs(-2 / 3) + decimal(2 / 3, 20)").evaluate()
        digits = feel.compile("2 / 3").evaluate().as_tuple().digits
    assert value == Decimal("1.000000000000000000003333333333333")
    assert len(digits) == 34


def test_one_expression_runs_in_many_threads_at_once():
    """Evaluations of one expression do not see each other's variables."""
    expression = feel.compile(
        "{all: for i in xs return i * n, kept: xs[item > n], f: function(a) a + n, r: f(n)}"
    )

    def parts(n):
        value = expression.evaluate({"xs": list(range(50)), "n": n})
        return value["all"], value["kept"], value["r"]

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(parts, [number % 7 for number in range(500)]))
    assert results == [parts(number % 7) for number in range(500)]


def test_names_with_blanks_can_be_made_known():
    """A variable with blanks needs backticks, unless its name is told to the compiler."""
    context = {"Loan Amount": 100, "a-b": 1}
    assert feel.compile("`Loan Amount` * 2").evaluate(context) == 200
    known = feel.compile("Loan Amount * 2 + a-b", names=context)
    assert known.evaluate(context) == 201
    with pytest.raises(feel.FeelSyntaxError):
        feel.compile("Loan Amount * 2")


@pytest.mark.parametrize(
    ("text", "value", "passes"),
    [
        ("-", 5, True),
        ("< 5, > 10", 3, True),
        ("< 5, > 10", 7, False),
        ("[1..5)", 5, False),
        ("not(1, 2)", 3, True),
        ("? > 3 and ? < 5", 4, True),
        ("odd(?)", 4, False),
        ('"a", "b"', "b", True),
        ('"a"', 1, None),
        ("[1, 2, 3]", 2, True),
        ("limit", 5, True),
        ("> limit", 6, True),
        ("null", None, True),
        ("< 5", None, None),
        ("true", False, False),
    ],
)
def test_unary_tests_decide_about_a_value(text, value, passes):
    """A value passes, does not, or cannot be tested; `?` and variables can be used."""
    assert feel.unary_tests(text).evaluate(value, {"limit": 5}) is passes


def test_a_compiled_expression_cannot_be_changed():
    """Tasks and threads share an expression, so that nothing of it can be set."""
    for compiled in (feel.compile("x"), feel.unary_tests("> 1")):
        with pytest.raises(FrozenInstanceError):
            compiled.text = "y"


@pytest.mark.parametrize("text", ["floor(x)", "decimal(x, 2)"])
def test_a_number_of_the_context_that_is_too_large_reaches_a_limit(text):
    """Rounding what no double can hold raises the engine's error, not one of `decimal`."""
    with pytest.raises(feel.LimitExceeded, match="308 digits"):
        feel.compile(text).evaluate({"x": Decimal("1E+500")})


def test_blanks_are_part_of_a_name_only_where_no_names_are_given():
    """With the names of a DMN model, a key over several blanks is the name with one."""
    assert feel.compile("{a   b: 1}").evaluate() == {"a   b": 1}
    assert feel.compile("{a   b: 1, c: a b}.c", names=["a b"]).evaluate() == 1
