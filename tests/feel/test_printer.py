from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from feel.parser import parse_expression, parse_unary_tests
from feel.printer import print_expression, print_unary_tests
from feel.syntax import BooleanLiteral, UnaryTests
from tests.kit.feel_syntax import expressions


@given(expressions)
def test_what_is_printed_parses_to_the_same_expression(expression):
    """The text of any syntax parses back to that syntax."""
    assert parse_expression(print_expression(expression)) == expression


@example(tests=[BooleanLiteral(False)], negated=False)  # noqa: FBT003 - the value of a literal
@given(st.lists(expressions, max_size=3), st.booleans())
def test_what_is_printed_parses_to_the_same_unary_tests(tests, negated):
    """The text of any unary tests parses back to them; `-` stands for none."""
    printed = UnaryTests(tuple(tests), negated=negated and bool(tests))
    assert parse_unary_tests(print_unary_tests(printed)) == printed


def test_brackets_stand_only_where_they_are_needed():
    """Operators that bind as they stand are printed without brackets."""
    text = "(a + b) * c ** 2 - -d.e[1] >= 3 and not(x)"
    assert print_expression(parse_expression(f"(({text}))")) == text
