from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from feel.errors import FeelSyntaxError, LimitExceeded
from feel.lexer import END, is_word, positions, tokenize, unquote
from feel.parser.names import NamesByFirstToken, by_first_token, plain_name
from feel.syntax import Node

MAX_TEXT_CHARS: Final = 200_000
MAX_NESTING: Final = 120
"""Parts in parts: up to four Python frames each, of the 1,000 that Python allows."""
MAX_HEIGHT: Final = 300
"""Levels of the parsed tree, a term of a long sum being one: a Python frame each when evaluated."""

OR, AND, COMPARISON, SUM, PRODUCT, POWER, SIGN, POSTFIX = range(1, 9)
BINDING: Final = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(["=", "!=", "<", "<=", ">", ">=", "in", "between", "instance"], COMPARISON),
    "+": SUM,
    "-": SUM,
    "*": PRODUCT,
    "/": PRODUCT,
    "**": POWER,
    ".": POSTFIX,
    "[": POSTFIX,
    "(": POSTFIX,
}
_AFTER_RANGE: Final = frozenset(
    [")", "]", "}", ",", ":", "..", END, "then", "else", "return", "satisfies", "and", "or"]
)
"""What cannot begin an expression: `[` before one of these ends the range `]a..b[`."""

PREFIXES: Final[dict[str, PrefixRule]] = {}
"""By first token: reads an operand; filled by the package, whose modules need the parser."""
INFIXES: Final[dict[str, InfixRule]] = {}
"""By operator: reads what follows the left operand; the plain operators have no entry."""


class Parser:
    """One pass over the tokens of one text.

    Attributes:
        at: number of the token to read next, 0-based.
        height: levels of the tree that the part read last has.
        names: names that may stand in the text without backticks.
        range_ends: how many ends of ranges are being read, one in another.
    """

    __slots__ = (
        "_nesting",
        "_positions",
        "at",
        "height",
        "names",
        "range_ends",
        "text",
        "tokens",
    )

    def __init__(self, text: str, names: Iterable[str] = ()) -> None:
        if len(text) > MAX_TEXT_CHARS:
            raise LimitExceeded(
                "nesting", f"an expression may have {MAX_TEXT_CHARS} characters, not {len(text)}"
            )
        self.text = text
        self.tokens = tokenize(text)
        self.at = 0
        self.height = 0
        self.range_ends = 0
        self.names: NamesByFirstToken = by_first_token(names) if names else {}
        self._nesting = 0
        self._positions: list[int] = []

    def expression(self, above: int = 0) -> Node:
        """Read an operand and the operators after it that bind more strongly than `above`."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise LimitExceeded("nesting", f"an expression may be nested {MAX_NESTING} deep")
        tokens = self.tokens
        node = PREFIXES.get(tokens[self.at], PREFIXES[END])(self)
        while (binding := BINDING.get(operator := tokens[self.at], 0)) > above:
            if operator == "[" and tokens[self.at + 1] in _AFTER_RANGE and self._ends_range():
                break
            height = self.height
            node = INFIXES[operator](self, node, binding)
            self.grow(height)
        self._nesting -= 1
        return node

    def _ends_range(self) -> bool:
        """Whether the `[` here, with what cannot begin an expression behind it, ends a range.

        `and(` and `or(` may be calls: `list[and(a, b)]` is a filter, `]1..2[ and (a)` a range.
        """
        if self.range_ends or self.tokens[self.at + 1] not in ("and", "or"):
            return True
        return self.tokens[self.at + 2] != "("

    def ends_with_boolean(self) -> bool:
        """Whether `true` or `false` was read last and the text ends with it.

        As on Camunda, such a test asks whether the value is the same; any other that is true
        passes any value: `5 in true` is null, `5 in (true)` is true.
        """
        return self.tokens[self.at] == END and self.tokens[self.at - 1] in ("true", "false")

    def grow(self, height: int = 0) -> None:
        """Note that a part has one level more than its highest part, of `height` or read last."""
        self.height = height = max(height, self.height) + 1
        if height > MAX_HEIGHT:
            raise LimitExceeded("nesting", f"an expression may have {MAX_HEIGHT} levels")

    def expressions(self, end: str) -> list[Node]:
        """Read expressions with commas between them, up to `end`, which is read too."""
        nodes = [self.expression()]
        height = self.height
        while self.tokens[self.at] == ",":
            self.at += 1
            nodes.append(self.expression())
            height = max(height, self.height)
        self.take(end)
        self.height = height
        return nodes

    def take(self, token: str) -> None:
        """Read `token` or fail."""
        if self.tokens[self.at] != token:
            raise self.fault(f"`{token}`" if token != END else "an operator or the end of the text")
        self.at += 1

    def accept(self, token: str) -> bool:
        """Read `token` if it stands here."""
        if self.tokens[self.at] != token:
            return False
        self.at += 1
        return True

    def name(self, expected: str) -> str:
        """Read one word or a name in backticks."""
        token = self.tokens[self.at]
        if is_word(token):
            self.at += 1
            return token
        if token[:1] == "`" and len(token) > 1:
            self.at += 1
            return token[1:-1]
        raise self.fault(expected)

    def plain_name(self, words: int) -> str:
        """Read the name of a key, an argument or a parameter, `words` tokens long.

        As on Camunda, the blanks between its words are part of it, however many; in DMN, where
        the names that there are tell what is one, they are a single one.
        """
        tokens = self.tokens[self.at : self.at + words]
        self.at += words
        if words > 1:
            return plain_name(tokens, self._gaps(self.at - words, self.at))
        return unquote(tokens[0]) if tokens[0][0] == '"' else tokens[0].strip("`")

    def _gaps(self, start: int, end: int) -> list[str]:
        """What stands between each two of the tokens from `start` up to `end`."""
        if self.names:
            return [" "] * (end - start - 1)
        offsets = self.positions()
        return [
            self.text[offsets[at] + len(self.tokens[at]) : offsets[at + 1]]
            for at in range(start, end - 1)
        ]

    def positions(self) -> list[int]:
        """Offsets of all tokens, found when they are first asked for."""
        if not self._positions:
            self._positions = positions(self.text)
        return self._positions

    def known_name(self) -> str | None:
        """Read the longest of the given names that stands here, if one does."""
        for tokens, name in self.names.get(self.tokens[self.at], ()):
            if self.tokens[self.at : self.at + len(tokens)] == tokens:
                self.at += len(tokens)
                return name
        return None

    def fault(self, expected: str) -> FeelSyntaxError:
        """The syntax error for the token that stands here."""
        offset = self.positions()[self.at]
        start = self.text.rfind("\n", 0, offset) + 1
        line, _, _ = self.text[start:].partition("\n")
        column = offset - start
        token = self.tokens[self.at]
        return FeelSyntaxError(
            line=self.text.count("\n", 0, offset) + 1,
            column=column + 1,
            excerpt=line[max(0, column - 30) : column + 30].strip(),
            found=f"`{token[:30]}`" if token != END else "the end of the text",
            expected=expected,
        )


PrefixRule: TypeAlias = Callable[[Parser], Node]
InfixRule: TypeAlias = Callable[[Parser, Node, int], Node]
