"""Clauses that begin with a keyword: `if`, `for`, `some`, `every`, `function`."""

from __future__ import annotations

from typing import Final

from feel.lexer import is_word
from feel.parser.core import COMPARISON, Parser, PrefixRule
from feel.parser.types import type_name
from feel.syntax import (
    Counting,
    For,
    FunctionLiteral,
    If,
    Iterator,
    Node,
    Parameter,
    Quantified,
)


def if_clause(parser: Parser) -> Node:
    """`if condition then a else b`."""
    parser.at += 1
    condition = parser.expression()
    height = parser.height
    parser.take("then")
    then = parser.expression()
    height = max(height, parser.height)
    parser.take("else")
    node = If(condition, then, parser.expression())
    parser.grow(height)
    return node


def for_clause(parser: Parser) -> Node:
    """`for a in b return c`."""
    parser.at += 1
    iterators = _iterators(parser)
    height = parser.height
    parser.take("return")
    node = For(iterators, parser.expression())
    parser.grow(height)
    return node


def quantified(parser: Parser) -> Node:
    """`some a in b satisfies c` or `every …`."""
    kind = parser.tokens[parser.at]
    parser.at += 1
    iterators = _iterators(parser)
    height = parser.height
    parser.take("satisfies")
    node = Quantified(kind, iterators, parser.expression())
    parser.grow(height)
    return node


def _iterators(parser: Parser) -> tuple[Iterator, ...]:
    iterators: list[Iterator] = []
    height = 0
    while not iterators or parser.accept(","):
        name = parser.known_name() or parser.name("the name of the variable to iterate with")
        parser.take("in")
        start = parser.expression()
        source: Node | Counting = start
        height = max(height, parser.height)
        if parser.accept(".."):
            source = Counting(start, parser.expression(COMPARISON))
            height = max(height, parser.height)
        iterators.append(Iterator(name, source))
    parser.height = height
    return tuple(iterators)


def function(parser: Parser) -> Node:
    """`function(a, b: type) body`."""
    parser.at += 1
    parser.take("(")
    parameters: list[Parameter] = []
    while not parameters or parser.accept(","):
        if not parameters and parser.tokens[parser.at] == ")":
            break
        parameters.append(_parameter(parser))
    parser.take(")")
    if parser.tokens[parser.at] == "external":
        raise parser.fault("a body written in FEEL: functions in other languages are not available")
    node = FunctionLiteral(tuple(parameters), parser.expression())
    parser.grow()
    return node


def _parameter(parser: Parser) -> Parameter:
    start = parser.at
    parser.known_name() or parser.name("the name of a parameter")
    while is_word(parser.tokens[parser.at]):
        parser.at += 1
    words = parser.at - start
    parser.at = start
    return Parameter(parser.plain_name(words), type_name(parser) if parser.accept(":") else None)


CLAUSES: Final[dict[str, PrefixRule]] = {
    "if": if_clause,
    "for": for_clause,
    "some": quantified,
    "every": quantified,
    "function": function,
}
