"""Tokens to syntax: a Pratt parser over the tokens of `feel.lexer`.

From weak to strong: `or`, `and`, comparisons (which do not chain), `+ -`, `* /`, `**`, the sign,
then paths, filters and calls. All operators group to the left, `**` included, as on Camunda.
"""

from __future__ import annotations

from collections.abc import Iterable

from feel.lexer import END
from feel.parser.clauses import CLAUSES
from feel.parser.core import INFIXES, PREFIXES, Parser
from feel.parser.operands import OPERANDS
from feel.parser.operators import OPERATORS
from feel.syntax import BooleanLiteral, Node, UnaryComparison, UnaryTests

__all__ = ["parse_expression", "parse_unary_tests"]

PREFIXES.update(OPERANDS | CLAUSES)
INFIXES.update(OPERATORS)


def parse_expression(text: str, names: Iterable[str] = ()) -> Node:
    """The syntax of an expression.

    Args:
        text: the expression; a leading `=` is left out.
        names: names with blanks or operators that stand in the text without backticks.

    Raises:
        FeelSyntaxError: the text is not an expression.
        LimitExceeded: it is too long or nested too deeply.
    """
    parser = Parser(text, names)
    parser.accept("=")
    node = parser.expression()
    parser.take(END)
    return node


def parse_unary_tests(text: str, names: Iterable[str] = ()) -> UnaryTests:
    """The syntax of the unary tests of an input entry; raises as `parse_expression` does."""
    parser = Parser(text, names)
    if parser.tokens[parser.at : parser.at + 2] == ["-", END]:
        return UnaryTests(())
    if parser.tokens[parser.at : parser.at + 2] == ["not", "("]:
        start = parser.at
        parser.at += 2
        tests = parser.expressions(")")
        if parser.accept(END):
            return UnaryTests(tuple(tests), negated=True)
        parser.at = start  # `not(a) and b` is an expression like any other
    tests = parser.expressions(END)
    parser.at -= 1
    if isinstance(tests[-1], BooleanLiteral) and parser.ends_with_boolean():
        tests[-1] = UnaryComparison("=", tests[-1])
    return UnaryTests(tuple(tests))
