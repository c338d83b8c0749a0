r"""Java's syntax of regular expressions, written as the `regex` package reads it.

What means the same in both is kept. The rest is written out: what a dot, `^` and `$` take for the
end of a line, the ASCII classes, quoting by `\Q…\E`, comments, and flags within a pattern. What
Java refuses is refused, and so is the syntax that only `regex` has.
"""

from __future__ import annotations

import re
import sys
from typing import Final, NamedTuple

_TERMINATORS: Final = r"\n\r\x85\u2028\u2029"
_NOT_WITHIN_CRLF: Final = r"(?<!\r(?=\n))"
_AT_END: Final = rf"(?:{_NOT_WITHIN_CRLF}(?=(?:\r\n|[{_TERMINATORS}])?\Z))"
_CLASSES: Final = {
    "d": "0-9",
    "w": "a-zA-Z0-9_",
    "s": r" \t\n\x0b\f\r",
    "h": r" \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000",
    "v": r"\n\x0b\f\r\x85\u2028\u2029",
}
"""By the letter of an escape; the upper-case letter is what the class leaves out."""
_PROPERTIES: Final = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-\~",
    "Graph": r"!-\~",
    "Print": r"\x20-\~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0b\f\r",
    "L1": r"\x00-\xff",
    "javaLowerCase": r"\p{Ll}",
    "javaUpperCase": r"\p{Lu}",
    "javaWhitespace": r"\p{White_Space}",
}
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_ASSERTIONS: Final = {
    "b": r"\b",
    "B": r"\B",
    "A": r"\A",
    "G": r"\G",
    "z": r"\Z",
    "Z": _AT_END,
    "R": rf"(?:\r\n|[{_CLASSES['v']}])",
    "X": r"\X",
}
_NUMBER: Final = re.compile(
    r"x\{(?P<wide>[0-9a-fA-F]{1,6})\}|x(?P<byte>[0-9a-fA-F]{2})|u(?P<unit>[0-9a-fA-F]{4})"
    r"|0(?P<octal>[0-3]?[0-7]{1,2})|c(?P<control>[ -~])"
)
_PROPERTY: Final = re.compile(
    r"[pP](?:\{((?:Is|In|(?:script|sc|block|blk|general_category|gc)=)?\w+)\}|([A-Z]))"
)
_CATEGORY: Final = re.compile(r"[A-Z][a-z]?")
_QUANTIFIER: Final = re.compile(r"\{(\d{1,10})(?:,\d{0,10})?\}")
_GROUP_START: Final = re.compile(r"\(\?(?:[:=!>]|<[=!]|<([a-zA-Z][a-zA-Z0-9]*)>)")
_GROUP_FLAGS: Final = re.compile(r"\(\?([idmsuxU]*)(?:-([idmsuxU]+))?([:)])")
_GROUP_NAME: Final = re.compile(r"k<([a-zA-Z][a-zA-Z0-9]*)>")
_COMMENT: Final = re.compile(rf"(?:[ \t\n\x0b\f\r]|#[^{_TERMINATORS}]*)+")
_DEEPEST_SET: Final = 50


class NotJava(ValueError):
    """The text is no regular expression in Java."""


class Translation(NamedTuple):
    """A pattern of Java for the `regex` package.

    Attributes:
        pattern: the pattern.
        unicode: whether it needs classes beyond ASCII.
        size: its items, with those that must be repeated counted so many times, for so many times
            they are kept once compiled.
    """

    pattern: str
    unicode: bool
    size: int


def translated(pattern: str, flags: str) -> Translation:
    """Translate a pattern.

    Args:
        pattern: the pattern.
        flags: some of `i`, `m`, `s` and `x`; the case flag is left to the caller.

    Raises:
        NotJava: it is no pattern.
    """
    return _Translator(pattern, frozenset(flags)).run()


class _Translator:
    """One pass over a pattern.

    Attributes:
        text: the pattern.
        at: the next character to look at.
        flags: the flags at this place.
        outer: the flags around each open group, and the size of what came before it.
        groups: how many groups have been opened so far.
        names: the names of those that have one.
        unicode: whether classes beyond ASCII have been met.
        size: the size of what came before in the innermost group.
        last: the size of the last item.
        out: the parts of the translation.
    """

    def __init__(self, text: str, flags: frozenset[str]) -> None:
        self.text = text
        self.at = 0
        self.flags = flags
        self.outer: list[tuple[frozenset[str], int]] = []
        self.groups = 0
        self.names: set[str] = set()
        self.unicode = False
        self.size = 0
        self.last = 0
        self.out: list[str] = []

    def run(self) -> Translation:
        """The whole translation."""
        while self._skip_comments() < len(self.text):
            self.out.append(self._item())
        if self.outer:
            raise NotJava
        return Translation("".join(self.out), self.unicode, self.size)

    def _skip_comments(self) -> int:
        if "x" in self.flags and (found := _COMMENT.match(self.text, self.at)):
            self.at = found.end()
        return self.at

    def _item(self) -> str:
        char = self.text[self.at]
        if char in "\\[({":
            return self._compound(char)
        self.at += 1
        if char in "*+?|":
            return char
        if char == ")":
            return self._close()
        self._count(1)
        return self._dot_or_anchor(char) if char in ".^$" else _quoted(char)

    def _compound(self, char: str) -> str:
        if char == "(":
            return self._open()
        if char == "{":
            return self._repeat()
        if char == "[":
            self._count(1)
            return self._set(0)
        return self._escape()

    def _count(self, size: int) -> None:
        self.size += size
        self.last = size

    def _repeat(self) -> str:
        found = self._matched(_QUANTIFIER)
        more = self.last * (max(1, int(found.group(1))) - 1)
        self.size += more
        self.last += more
        return found.group()

    def _dot_or_anchor(self, char: str) -> str:
        ends = r"\n" if "d" in self.flags else _TERMINATORS
        if char == ".":
            return "(?s:.)" if "s" in self.flags else f"[^{ends}]"
        if "m" not in self.flags:
            return r"\A" if char == "^" else _AT_END
        if char == "^":
            return rf"(?:(?<![^{ends}]){_NOT_WITHIN_CRLF}(?!\Z))"
        return rf"(?:{_NOT_WITHIN_CRLF}(?=[{ends}]|\Z))"

    def _matched(self, form: re.Pattern[str]) -> re.Match[str]:
        found = form.match(self.text, self.at)
        if found is None:
            raise NotJava
        self.at = found.end()
        return found

    # Groups.

    def _open(self) -> str:
        if self.text[self.at + 1 : self.at + 2] != "?":
            self.at += 1
            self.groups += 1
            self._enter(self.flags)
            return "(" if self.text[self.at : self.at + 1] != "*" else self._refuse()
        if _GROUP_START.match(self.text, self.at):
            return self._named_or_special()
        on, off, end = self._matched(_GROUP_FLAGS).groups()
        before = self.flags
        self.flags = before.union(on) - frozenset(off or "")
        self.unicode |= not self.flags.isdisjoint("uU")
        if end == ":":
            self._enter(before)
        if ("i" in self.flags) != ("i" in before):
            return f"(?{'' if 'i' in self.flags else '-'}i{end}"
        return "(?:" if end == ":" else ""

    def _named_or_special(self) -> str:
        found = self._matched(_GROUP_START)
        name = found.group(1)
        if name is not None:
            if name in self.names:
                raise NotJava
            self.names.add(name)
            self.groups += 1
        self._enter(self.flags)
        return found.group()

    def _close(self) -> str:
        if not self.outer:
            raise NotJava
        self.flags, before = self.outer.pop()
        size = self.size + 1
        self.size = before
        self._count(size)
        return ")"

    def _enter(self, flags: frozenset[str]) -> None:
        self.outer.append((flags, self.size))
        self.size = 0

    def _refuse(self) -> str:
        raise NotJava

    # Escapes.

    def _escape(self) -> str:
        self.at += 1
        letter = self.text[self.at : self.at + 1]
        if letter == "Q":
            quoted = self._quotation()
            self.size += len(quoted)
            self.last = 1
            return quoted
        self._count(1)
        if letter == "k":
            return f"(?P={self._matched(_GROUP_NAME).group(1)})"
        if letter in _ASSERTIONS:
            self.at += 1
            return _ASSERTIONS[letter]
        if "1" <= letter <= "9":
            return self._reference()
        return self._class() or _quoted(self._char())

    def _quotation(self) -> str:
        end = self.text.find(r"\E", self.at)
        quoted = self.text[self.at + 1 : end if end >= 0 else None]
        self.at = end + 2 if end >= 0 else len(self.text)
        return "".join(map(_quoted, quoted))

    def _reference(self) -> str:
        """A group by its number: as many digits as make a group that is already open."""
        end = self.at + 1
        while self.text[end : end + 1].isdecimal() and int(self.text[self.at : end + 1]) <= (
            self.groups
        ):
            end += 1
        number = self.text[self.at : end]
        self.at = end
        return rf"(?:\{number})"

    def _class(self) -> str | None:
        """A set of characters for the escape at this place, or None if it is one character."""
        letter = self.text[self.at : self.at + 1]
        if letter in ("p", "P"):
            return self._property()
        if not letter or letter.lower() not in _CLASSES:
            return None
        self.at += 1
        if "U" in self.flags and letter in "wWdDsS":
            return f"[\\{letter}]"
        return f"[{'^' if letter.isupper() else ''}{_CLASSES[letter.lower()]}]"

    def _property(self) -> str:
        negated = "^" if self.text[self.at] == "P" else ""
        long, short = self._matched(_PROPERTY).groups()
        name = long or short
        if _CATEGORY.fullmatch(name.removeprefix("Is")):
            name = name.removeprefix("Is")
        if name in _PROPERTIES:
            self.unicode |= name.startswith("java")
            return f"[{negated}{_PROPERTIES[name]}]"
        if not (name.startswith(("Is", "In")) or "=" in name or _CATEGORY.fullmatch(name)):
            raise NotJava
        self.unicode = True
        return f"[{negated}\\p{{{name}}}]"

    def _char(self) -> str:
        """The one character that the escape at this place stands for."""
        letter = self.text[self.at : self.at + 1]
        if letter in _CONTROLS and letter:
            self.at += 1
            return _CONTROLS[letter]
        if letter and letter in "xu0c":
            return self._numbered()
        if not letter or (letter.isascii() and letter.isalnum()):
            raise NotJava
        self.at += 1
        return letter

    def _numbered(self) -> str:
        parts = self._matched(_NUMBER).groupdict()
        if parts["control"]:
            return chr(ord(parts["control"]) ^ 64)
        if parts["octal"]:
            return chr(int(parts["octal"], 8))
        code = int(parts["wide"] or parts["byte"] or parts["unit"], 16)
        if code > sys.maxunicode:
            raise NotJava
        return chr(code)

    # Sets of characters.

    def _set(self, depth: int) -> str:
        if depth > _DEEPEST_SET:
            raise NotJava
        self.at += 1
        start = "["
        if self.text[self.at : self.at + 1] == "^":
            self.at += 1
            start = "[^"
        parts: list[str] = []
        while (char := self._set_char()) != "]" or not parts:
            parts.append(self._set_item(char, depth))
        self.at += 1
        return f"{start}{''.join(parts)}]"

    def _set_char(self) -> str:
        self._skip_comments()
        if self.at >= len(self.text):
            raise NotJava
        return self.text[self.at]

    def _set_item(self, char: str, depth: int) -> str:
        if char == "[":
            return self._set(depth + 1)
        if self.text.startswith("&&", self.at):
            while self.text[self.at : self.at + 1] == "&":
                self.at += 1
            return "&&"
        if char == "\\" and self.text.startswith(r"\Q", self.at):
            self.at += 1
            return self._quotation()
        known, first = self._set_atom(char)
        if known is not None:
            return known
        if self._range_follows():
            self.at += 1
            known, last = self._set_atom(self._set_char())
            if known is not None or last < first:
                raise NotJava
            return f"{_quoted(first)}-{_quoted(last)}"
        return _quoted(first)

    def _set_atom(self, char: str) -> tuple[str | None, str]:
        """What stands at this place: a class, or else one character."""
        self.at += 1
        if char != "\\":
            return None, char
        known = self._class()
        return known, "" if known is not None else self._char()

    def _range_follows(self) -> bool:
        self._skip_comments()
        following = self.text[self.at + 1 : self.at + 2]
        return self.text[self.at : self.at + 1] == "-" and following not in ("]", "[", "")


def _quoted(char: str) -> str:
    return char if char.isalnum() or char == "_" or not char.isascii() else f"\\{char}"
