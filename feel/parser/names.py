from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, TypeAlias

from feel.lexer import END, is_word, tokenize

RESERVED: Final = frozenset(
    [
        *("null", "true", "false", "and", "or", "between", "in", "instance", "of"),
        *("if", "then", "else", "for", "return", "some", "every", "satisfies", "function", "not"),
    ]
)
KEYWORD_FUNCTIONS: Final = frozenset(
    {
        "and",
        "or",
        "not",
        "date and time",
        "years and months duration",
        "get or else",
        "index of",
        "day of year",
        "day of week",
        "month of year",
        "week of year",
        "last day of month",
    }
)
"""Functions with a keyword in their names: names only where `(` follows."""

NamesByFirstToken: TypeAlias = dict[str, list[tuple[list[str], str]]]


def by_first_token(names: Iterable[str]) -> NamesByFirstToken:
    """Names as token lists, by their first token, the longest first."""
    found: NamesByFirstToken = {}
    for name in names:
        tokens = [token for token in tokenize(name) if token != END]
        if tokens:
            found.setdefault(tokens[0], []).append((tokens, name))
    for candidates in found.values():
        candidates.sort(key=lambda candidate: -len(candidate[0]))
    return found


def function_words(tokens: list[str], start: int) -> int:
    """How many words from token `start` on, up to a `(`, name a function; 0 when none do."""
    end = start
    while is_word(tokens[end]):
        end += 1
    if tokens[end] != "(":
        return 0
    words = tokens[start:end]
    if RESERVED.isdisjoint(words) or " ".join(words) in KEYWORD_FUNCTIONS:
        return len(words)
    return 0


def label_words(tokens: list[str], start: int) -> int:
    """How many words from token `start` on, up to a `:`, name an argument; 0 when none do."""
    end = start
    while is_word(tokens[end]):
        end += 1
    if end > start and tokens[end] == ":":
        return end - start
    return 1 if tokens[end][:1] == "`" and tokens[end + 1 : end + 2] == [":"] else 0


def key_words(tokens: list[str], start: int) -> int:
    """How many tokens from `start` on, up to a `:`, make a context key; 0 when none do."""
    if tokens[start][:1] in ('"', "`") and len(tokens[start]) > 1:
        return 1
    if not is_word(tokens[start]):
        return 0
    end = start
    while tokens[end] not in (":", ",", "{", "}", "(", ")", "[", "]", END):
        end += 1
    return end - start


def plain_name(tokens: list[str], gaps: Iterable[str]) -> str:
    """The name that tokens stand for, with the gaps between words and none around operators."""
    parts = [tokens[0]]
    for (before, token), gap in zip(pairwise(tokens), gaps, strict=True):
        if is_word(before[-1]) and is_word(token):
            parts.append(gap if gap.strip(" ") == "" else " ")
        parts.append(token)
    return "".join(parts)
