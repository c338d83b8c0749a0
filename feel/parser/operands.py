"""Operands: literals, names, brackets, and the sign and the comparison before an operand."""

from __future__ import annotations

from typing import Final

from feel.errors import LimitExceeded
from feel.lexer import END, is_word, unquote
from feel.numbers import parse_literal
from feel.parser.core import COMPARISON, SIGN, Parser, PrefixRule
from feel.parser.names import (
    KEYWORD_FUNCTIONS,
    RESERVED,
    function_words,
    key_words,
)
from feel.syntax import (
    BooleanLiteral,
    ContextLiteral,
    InputValue,
    ListLiteral,
    Name,
    Negation,
    Node,
    NullLiteral,
    NumberLiteral,
    RangeLiteral,
    StringLiteral,
    TemporalLiteral,
    UnaryComparison,
)

_AFTER_PLAIN_NAMES: Final = frozenset([".", "[", "(", ")", "]", "}", ",", ":", "=", END])
"""What most often follows a name: looked up, because that is faster than `is_word`."""
_HINTS: Final = {
    '"': 'a text with its closing `"`',
    "`": "a name with its closing backtick",
    "'": 'a text in double quotes `"`',
}


def operand(parser: Parser) -> Node:
    """A number, a text or a name."""
    token = parser.tokens[parser.at]
    parser.height = 1
    first = token[:1]
    if first.isalpha():
        return _name(parser, token)
    if len(token) > 1 or first.isalnum():
        if first == '"':
            parser.at += 1
            return StringLiteral(unquote(token))
        if first == "`":
            parser.at += 1
            return Name(token[1:-1])
        if first.isdecimal() or (first == "." and token[1:2] != "."):
            parser.at += 1
            return _number(token)
    if is_word(token):
        return _name(parser, token)
    raise parser.fault(_HINTS.get(first, "an expression"))


def _number(token: str) -> Node:
    number = parse_literal(token)
    if number is None:
        raise LimitExceeded("number", "a number may have 308 digits before its point")
    return NumberLiteral(number)


def _name(parser: Parser, token: str) -> Node:
    """A variable, or the name of a function, in which there may be blanks."""
    if parser.names and (known := parser.known_name()) is not None:
        return Name(known)
    following = parser.tokens[parser.at + 1]
    if (
        following not in _AFTER_PLAIN_NAMES
        and is_word(following)
        and (words := function_words(parser.tokens, parser.at))
    ):
        start = parser.at
        parser.at += words
        return Name(" ".join(parser.tokens[start : parser.at]))
    # No keyword has a `.` after it, so that one is a name there, such as `instance.key`.
    if (
        token in RESERVED
        and following != "."
        and not (following == "(" and token in KEYWORD_FUNCTIONS)
    ):
        raise parser.fault("an expression")
    parser.at += 1
    return Name(token)


def null(parser: Parser) -> Node:
    """`null`."""
    parser.at += 1
    parser.height = 1
    return _NULL


def boolean(parser: Parser) -> Node:
    """`true` or `false`."""
    parser.at += 1
    parser.height = 1
    return _TRUE if parser.tokens[parser.at - 1] == "true" else _FALSE


_NULL: Final = NullLiteral()
_TRUE: Final = BooleanLiteral(True)  # noqa: FBT003 - the value of a literal
_FALSE: Final = BooleanLiteral(False)  # noqa: FBT003 - the value of a literal


def temporal(parser: Parser) -> Node:
    """`@"…"`."""
    parser.at += 1
    token = parser.tokens[parser.at]
    if token[:1] != '"' or len(token) == 1:
        raise parser.fault("a text in double quotes after `@`")
    parser.at += 1
    parser.height = 1
    return TemporalLiteral(unquote(token))


def input_value(parser: Parser) -> Node:
    """`?`."""
    parser.at += 1
    parser.height = 1
    return InputValue()


def negation(parser: Parser) -> Node:
    """`-a`."""
    parser.at += 1
    node = Negation(parser.expression(SIGN))
    parser.grow()
    return node


def comparison(parser: Parser) -> Node:
    """`< a` and its like: compares the value under test."""
    operator = parser.tokens[parser.at]
    if operator == "=" and parser.tokens[parser.at - 1] in ("=", "!="):
        raise parser.fault("a value: a single `=` compares")
    parser.at += 1
    node = UnaryComparison(operator, parser.expression(COMPARISON))
    parser.grow()
    return node


def parenthesis(parser: Parser) -> Node:
    """`(a)`, or a range without its start: `(a..b]`."""
    parser.at += 1
    node = parser.expression()
    if parser.tokens[parser.at] == "..":
        return range_after(parser, node, included=False)
    parser.take(")")
    return node


def bracket(parser: Parser) -> Node:
    """`[a, b]`, or a range with its start: `[a..b]`."""
    parser.at += 1
    if parser.accept("]"):
        parser.height = 1
        return ListLiteral(())
    first = parser.expression()
    if parser.tokens[parser.at] == "..":
        return range_after(parser, first, included=True)
    items = [first]
    if parser.accept(","):
        height = parser.height
        items += parser.expressions("]")
        parser.grow(height)
    else:
        parser.take("]")
        parser.grow()
    return ListLiteral(tuple(items))


def open_range(parser: Parser) -> Node:
    """`]a..b]`: a range without its start."""
    parser.at += 1
    start = parser.expression(COMPARISON)
    if parser.tokens[parser.at] != "..":
        raise parser.fault("`..`")
    return range_after(parser, start, included=False)


def range_after(parser: Parser, start: Node, *, included: bool) -> Node:
    """`..b]`, `..b)` or `..b[` after the start of a range."""
    height = parser.height
    parser.take("..")
    parser.range_ends += 1
    end = parser.expression(COMPARISON)
    parser.range_ends -= 1
    closing = parser.tokens[parser.at]
    if closing not in (")", "]", "["):
        raise parser.fault("`]`, `)` or `[` at the end of the range")
    parser.at += 1
    parser.grow(height)
    return RangeLiteral(start, end, included, closing == "]")


def context(parser: Parser) -> Node:
    """`{key: value}`."""
    parser.at += 1
    entries: list[tuple[str, Node]] = []
    height = 0
    while not entries or parser.accept(","):
        if not entries and parser.tokens[parser.at] == "}":
            break
        entries.append((_key(parser), parser.expression()))
        height = max(height, parser.height)
    parser.take("}")
    parser.height = height
    parser.grow()
    return ContextLiteral(tuple(entries))


def _key(parser: Parser) -> str:
    words = key_words(parser.tokens, parser.at)
    if not words:
        raise parser.fault("a key")
    name = parser.plain_name(words)
    parser.take(":")
    return name


OPERANDS: Final[dict[str, PrefixRule]] = {
    END: operand,
    "null": null,
    "true": boolean,
    "false": boolean,
    "@": temporal,
    "?": input_value,
    "-": negation,
    "(": parenthesis,
    "[": bracket,
    "]": open_range,
    "{": context,
    **dict.fromkeys(["<", "<=", ">", ">=", "=", "!="], comparison),
}
