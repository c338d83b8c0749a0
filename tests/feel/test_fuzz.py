"""No text, however broken, raises anything but the engine's own errors."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feel
from feel.functions import BUILTINS
from feel.printer import print_expression
from tests.kit.feel_syntax import expressions

LIMITS = feel.Limits(steps=20_000, deadline_s=1.0, string_chars=50_000, list_items=5_000)
CONTEXT = {
    "a": 1,
    "b_1": "text",
    "order": {"items": [{"a": 1, "b": None}, {"a": 2.5}], "for": True},
    "$x": [1, [2, [3]], "x", None],
    "big": 9007199254740993,
}
WORDS = [
    *("if", "then", "else", "for", "in", "return", "some", "every", "satisfies", "function"),
    *("and", "or", "not", "between", "instance of", "null", "true", "false", "item", "partial"),
    *("(", ")", "[", "]", "{", "}", "<", ">", "=", "!=", "..", ".", ",", ":", "?", "@", "-", "`"),
    *("+", "*", "/", "**", "1", "0", ".5", "9" * 40, '"x"', '"', '"2020-01-01"', "//", "/*", "*/"),
    *('@"PT1H"', '@"2020-01-01"', '@"10:00:00@Europe/Berlin"', "order", "a", "b_1", "$x", "big"),
    *(f"{name}(" for name in BUILTINS),
]
token_soups = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)
printed = expressions.map(print_expression)


@st.composite
def broken_expressions(draw):
    """An expression with a piece of it cut out, doubled or replaced."""
    text = draw(printed)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 6)))
    piece = draw(st.one_of(st.just(""), st.just(text[start:end] * 2), st.text(max_size=4)))
    return text[:start] + piece + text[end:]


def _runs_or_refuses(text):
    with suppress(feel.FeelError):
        feel.to_json(feel.compile(text).evaluate(CONTEXT, limits=LIMITS))
    with suppress(feel.FeelError):
        feel.unary_tests(text).evaluate(5, CONTEXT, limits=LIMITS)


@pytest.mark.timeout(3600)
@settings(deadline=None)
@given(st.one_of(st.text(max_size=40), token_soups, printed, broken_expressions()))
def test_no_text_raises_anything_but_the_engines_errors(text):
    """Any text comes to a value or to a `FeelError`."""
    _runs_or_refuses(text)


ANY_VALUE = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=5),
        st.sampled_from(["2020-02-29", "10:00:00Z", "P1Y", "-PT5M", "a,b", "(", "Europe/Berlin"]),
        st.dates(),
        st.datetimes(),
        st.times(),
        st.timedeltas(),
        st.integers(-50, 50).map(feel.YearsMonths),
        st.builds(feel.Range, st.integers(), st.integers(), st.booleans(), st.booleans()),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
OVERLOADS = [overload for overloads in BUILTINS.values() for overload in overloads]


@pytest.mark.timeout(3600)
@settings(deadline=None)
@given(st.sampled_from(OVERLOADS), st.lists(ANY_VALUE, max_size=5))
def test_no_argument_makes_a_function_raise_anything_else(overload, arguments):
    """Any built-in function called with any values comes to a value or to a `FeelError`."""
    names = [f"v{place}" for place in range(len(arguments))]
    text = f"`{overload.name}`({', '.join(names)})"
    with suppress(feel.FeelError):
        expression = feel.compile(text)
        feel.to_json(expression.evaluate(dict(zip(names, arguments, strict=True)), limits=LIMITS))


@pytest.mark.timeout(3600)
@settings(deadline=None)
@given(st.sampled_from(["+", "-", "*", "/", "**", "=", "<", "in", "and"]), ANY_VALUE, ANY_VALUE)
def test_no_operands_make_an_operator_raise_anything_else(operator, left, right):
    """Any operator between any two values comes to a value or to a `FeelError`."""
    with suppress(feel.FeelError):
        feel.to_json(feel.compile(f"a {operator} b").evaluate({"a": left, "b": right}))
