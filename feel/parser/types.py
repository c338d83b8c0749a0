from __future__ import annotations

from typing import Final

from feel.parser.core import Parser
from feel.syntax import TypeName

_LONG_NAMES: Final = (
    ["days", "and", "time", "duration"],
    ["years", "and", "months", "duration"],
    ["date", "and", "time"],
)


def type_name(parser: Parser) -> TypeName:
    """A type: `number`, `list<number>`, `context<a: string>`, `function<number>->string`."""
    name = _name(parser)
    parts: list[tuple[str, TypeName]] = []
    if parser.accept("<"):
        while not parts or parser.accept(","):
            if not parts and parser.tokens[parser.at] == ">":
                break
            member = ""
            if parser.tokens[parser.at + 1] == ":":
                member = parser.name("the name of a member")
                parser.at += 1
            parts.append((member, type_name(parser)))
        parser.take(">")
        if parser.accept("->"):
            parts.append(("->", type_name(parser)))
    return TypeName(name, tuple(parts))


def _name(parser: Parser) -> str:
    for words in _LONG_NAMES:
        if parser.tokens[parser.at : parser.at + len(words)] == words:
            parser.at += len(words)
            return " ".join(words)
    name = parser.name("a type")
    while parser.accept("."):
        name += "." + parser.name("a type")
    return name
