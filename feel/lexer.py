"""Text to tokens: plain strings, told apart by their first character.

Positions are left out on purpose: finding them takes longer than finding the tokens, and only
syntax errors and names with blanks need them. `positions` reads the text once more for them.
"""

from __future__ import annotations

import re
import sys
from typing import Final

END: Final = ""
"""The token after the last one."""

_GAP = r"(?:\s+|//[^\n]*|/\*(?s:.*?)\*/)*"
# A word may hold what lies beyond the basic plane of Unicode, as the DMN standard has it.
_PIECE = r"""
    (?:[^\W\d]|[$\U00010000-\U000EFFFF])[\w$\U00010000-\U000EFFFF]*   # a word
  | \d+(?:\.\d+)? | \.\d+                           # a number
  | "[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z|\\)          # a text, all that is left if it is open
  | /\*(?s:.*)                                      # a comment that is open
  | `[^`]+`                                         # a quoted name
  | \*\* | \.\. | <= | >= | != | -> | \S            # an operator, or what is none
"""
_TOKENS = re.compile(f"{_GAP}({_PIECE}|\\Z)", re.VERBOSE | re.DOTALL)

_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_ESCAPE = re.compile(
    r"\\(?:([\"'\\nrtbf])"
    r"|u([Dd][89ABab][0-9A-Fa-f]{2})\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})"
    r"|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6}))"
)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def tokenize(text: str) -> list[str]:
    """All tokens of `text`, blanks and comments left out, with `END` at least twice behind them.

    Twice, so that the token after any but the last can be looked at.
    """
    tokens: list[str] = _TOKENS.findall(text)
    # What is left of an open text is read once only: to look for its end again from each `"` in
    # it would take minutes.
    if len(tokens) > 1 and tokens[-2][:1] == '"' and not _TEXT.fullmatch(tokens[-2]):
        tokens[-2] = '"'
    tokens.append(END)
    return tokens


def positions(text: str) -> list[int]:
    """Offsets in `text` of all tokens."""
    return [*(match.start(1) for match in _TOKENS.finditer(text)), len(text)]


def is_word(token: str) -> bool:
    """Whether the token is a word: a name, a part of one, or a keyword."""
    first = token[:1]
    return first.isalpha() or first in ("_", "$") or first > "\uffff"


def unquote(token: str) -> str:
    """The text that a string token stands for; an escape that FEEL does not know stays as it is."""
    body = token[1:-1]
    return _ESCAPE.sub(_unescape, body) if "\\" in body else body


def _unescape(match: re.Match[str]) -> str:
    simple, high, low, short, long = match.groups()
    if simple is not None:
        return _ESCAPED.get(simple, simple)
    if high is not None:  # one character, written as the two halves that UTF-16 has for it
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    code = int(short or long, 16)
    return chr(code) if code <= sys.maxunicode else match.group()
