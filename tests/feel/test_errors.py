"""Errors point at the fault and say what was expected."""

from __future__ import annotations

import inspect

import pytest

import feel
from feel import errors

FAULTS = {
    "a b": (1, 3, "`b`", "an operator or the end of the text"),
    "{a: 1,}": (1, 7, "`}`", "a key"),
    "[1, 2": (1, 6, "the end of the text", "`]`"),
    "if x then 1": (1, 12, "the end of the text", "`else`"),
    "x == 1": (1, 4, "`=`", "a single `=` compares"),
    "not = true": (1, 1, "`not`", "an expression"),
    "1 = 1 = 1": (1, 7, "`=`", "comparisons do not chain"),
    '"open': (1, 1, '`"`', 'closing `"`'),
    "'a'": (1, 1, "`'`", "double quotes"),
    "`a": (1, 1, "```", "closing backtick"),
    "x.": (1, 3, "the end of the text", "a name after `.`"),
    "a\n  + # b": (2, 5, "`#`", "an expression"),
    "if = true": (1, 10, "the end of the text", "`then`"),
    "for x of y return 1": (1, 7, "`of`", "`in`"),
    "f(a: 1, 2)": (1, 9, "`2`", "the name of the argument"),
    "[1..2": (1, 6, "the end of the text", "`]`, `)` or `[`"),
    "@2020": (1, 2, "`2020`", "double quotes after `@`"),
    "function() external {}": (1, 12, "`external`", "not available"),
    "": (1, 1, "the end of the text", "an expression"),
    "// nothing": (1, 11, "the end of the text", "an expression"),
}


@pytest.mark.parametrize(("text", "fault"), FAULTS.items(), ids=FAULTS)
def test_a_syntax_error_points_at_the_fault(text, fault):
    """Line, column, the piece of text found and what was expected are in the error."""
    line, column, found, expected = fault
    with pytest.raises(feel.FeelSyntaxError) as caught:
        feel.compile(text)
    error = caught.value
    assert (error.line, error.column, error.found) == (line, column, found)
    assert expected in error.expected
    assert str(error).startswith(f"line {line}, column {column}: expected ")


def test_a_syntax_error_shows_no_more_than_a_part_of_a_long_line():
    """The excerpt is the line around the fault, at most 60 characters of it."""
    with pytest.raises(feel.FeelSyntaxError) as caught:
        feel.compile("a + " * 100 + ")" + " + b" * 100)
    assert ")" in caught.value.excerpt
    assert len(caught.value.excerpt) <= 60


def test_every_error_of_the_engine_is_a_feel_error():
    """All error classes of the package are in one tree, and all are drawn at its top."""
    classes = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    assert all(issubclass(kind, feel.FeelError) for kind in classes)
    assert all(kind.__name__ in errors.__doc__ for kind in classes)


def test_a_failed_assertion_carries_its_cause():
    """The message of `assert` is the message of the error."""
    with pytest.raises(feel.AssertionFailed, match="'x' should be there"):
        feel.compile("assert(x, x != null, \"'x' should be there\")").evaluate()


def test_a_function_that_cannot_be_had_says_so_only_when_it_is_called():
    """`fromAi` raises when it is evaluated, not when it stands in a branch that is not taken."""
    with pytest.raises(feel.FunctionUnavailable, match="agent"):
        feel.compile("fromAi(x)").evaluate()
    assert feel.compile("if false then fromAi(x) else 1").evaluate() == 1
