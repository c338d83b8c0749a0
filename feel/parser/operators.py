"""What follows an operand: operators, comparisons, paths, filters and calls."""

from __future__ import annotations

from typing import Final

from feel.parser.core import BINDING, COMPARISON, InfixRule, Parser
from feel.parser.names import label_words
from feel.parser.operands import range_after
from feel.parser.types import type_name
from feel.syntax import (
    Argument,
    Between,
    Binary,
    Call,
    Filter,
    In,
    InstanceOf,
    Node,
    Path,
)

PROPERTIES_WITH_BLANKS: Final = frozenset(["time offset", "start included", "end included"])
"""Any other name with a blank in it needs backticks."""


def binary(parser: Parser, left: Node, binding: int) -> Node:
    """`left + right` and its like."""
    operator = parser.tokens[parser.at]
    parser.at += 1
    return Binary(operator, left, parser.expression(binding))


def comparison(parser: Parser, left: Node, binding: int) -> Node:
    """`left = right` and its like, which do not chain."""
    node = binary(parser, left, binding)
    _end_comparison(parser)
    return node


def between(parser: Parser, value: Node, binding: int) -> Node:
    """`value between low and high`."""
    parser.at += 1
    low = parser.expression(binding)
    height = parser.height
    parser.take("and")
    node = Between(value, low, parser.expression(binding))
    parser.height = max(height, parser.height)
    _end_comparison(parser)
    return node


def instance_of(parser: Parser, value: Node, _binding: int) -> Node:
    """`value instance of type`."""
    parser.at += 1
    parser.take("of")
    node = InstanceOf(value, type_name(parser))
    _end_comparison(parser)
    return node


def among(parser: Parser, value: Node, binding: int) -> Node:
    """`value in test` or `value in (test, test)`."""
    parser.at += 1
    if parser.accept("("):
        first = parser.expression()
        height = parser.height
        tests: tuple[Node, ...]
        if parser.tokens[parser.at] == "..":
            tests = (range_after(parser, first, included=False),)
        elif parser.accept(","):
            tests = (first, *parser.expressions(")"))
        else:
            parser.take(")")
            tests = (first,)
        parser.height = max(height, parser.height)
    else:
        test = parser.expression(binding)
        _end_comparison(parser)
        if parser.ends_with_boolean():
            return Binary("=", value, test)
        return In(value, (test,))
    _end_comparison(parser)
    return In(value, tests)


def _end_comparison(parser: Parser) -> None:
    if BINDING.get(parser.tokens[parser.at]) == COMPARISON:
        raise parser.fault("`and`, `or` or the end of the comparison: comparisons do not chain")


def path(parser: Parser, base: Node, _binding: int) -> Node:
    """`base.name`."""
    parser.at += 1
    if parser.names and (known := parser.known_name()) is not None:
        return Path(base, known)
    name = parser.name("a name after `.`")
    following = f"{name} {parser.tokens[parser.at]}"
    if following in PROPERTIES_WITH_BLANKS:
        parser.at += 1
        return Path(base, following)
    return Path(base, name)


def filter_by(parser: Parser, base: Node, _binding: int) -> Node:
    """`base[condition]`."""
    parser.at += 1
    node = Filter(base, parser.expression())
    parser.take("]")
    return node


def call(parser: Parser, callee: Node, _binding: int) -> Node:
    """`callee(arguments)`."""
    parser.at += 1
    arguments: list[Argument] = []
    height = 0
    named = label_words(parser.tokens, parser.at) > 0
    while not arguments or parser.accept(","):
        if not arguments and parser.tokens[parser.at] == ")":
            break
        label = _label(parser) if named else None
        arguments.append(Argument(parser.expression(), label))
        height = max(height, parser.height)
    parser.take(")")
    parser.height = height
    return Call(callee, tuple(arguments))


def _label(parser: Parser) -> str:
    words = label_words(parser.tokens, parser.at)
    if not words:
        raise parser.fault("the name of the argument and `:`, as the first argument has them")
    name = parser.plain_name(words)
    parser.take(":")
    return name


OPERATORS: Final[dict[str, InfixRule]] = {
    **dict.fromkeys(["or", "and", "+", "-", "*", "/", "**"], binary),
    **dict.fromkeys(["=", "!=", "<", "<=", ">", ">="], comparison),
    "between": between,
    "instance": instance_of,
    "in": among,
    ".": path,
    "[": filter_by,
    "(": call,
}
