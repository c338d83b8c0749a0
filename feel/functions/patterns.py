"""Java's regular expressions, with a time limit, by the `regex` package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeVar

from feel.errors import LimitExceeded
from feel.run import Run

if TYPE_CHECKING:
    from regex import Match, Pattern

    from feel.functions.java_regex import Translation

_Result = TypeVar("_Result")
_PAIRS_A_SECOND: Final = 200_000_000
"""How many characters of a text, times those of a literal, are compared in a second."""


def compiled(run: Run, pattern: str, flags: str | None, text: str) -> Pattern[str] | None:
    """Java's pattern with the flags `s m i x`, others having no effect; None when it is none.

    Raises:
        LimitExceeded: the pattern, or the text it is meant for, is too long.
    """
    limits = run.limits
    _within("regex_text_chars", len(text), limits.regex_text_chars, "a text to search")
    _within("regex_chars", len(pattern), limits.regex_chars, "a regular expression")
    translation = _translation(pattern, "".join(sorted(set(flags or "") & set("smix"))))
    if translation is None:
        return None
    repeated = "a regular expression with its repetitions written out"
    _within("regex_chars", translation.size, limits.regex_chars, repeated)
    # Where a pattern begins with a literal, `regex` looks for it without looking at the clock.
    if translation.size * len(text) > limits.regex_s * _PAIRS_A_SECOND:
        raise _too_slow(limits.regex_s)
    return _compiled(translation.pattern, "i" in (flags or ""), translation.unicode)


def _within(limit: str, size: int, most: int, what: str) -> None:
    if size > most:
        raise LimitExceeded(limit, f"{what} may have {most:,} characters")


@lru_cache(maxsize=256)
def _translation(pattern: str, flags: str) -> Translation | None:
    from feel.functions.java_regex import NotJava, translated  # noqa: PLC0415 - seldom needed

    try:
        return translated(pattern, flags)
    except NotJava:
        return None


@lru_cache(maxsize=256)
def _compiled(pattern: str, any_case: bool, unicode: bool) -> Pattern[str] | None:  # noqa: FBT001
    import regex  # noqa: PLC0415 - slow to import, and most evaluations need none

    bits = regex.VERSION1 | (regex.UNICODE if unicode else regex.ASCII)
    try:
        return regex.compile(pattern, bits | (regex.IGNORECASE if any_case else 0))
    except (regex.error, ValueError, OverflowError, RecursionError):
        return None


def within_time(run: Run, work: Callable[[float], _Result]) -> _Result:
    """What `work` gives when it is told how many seconds it has.

    Raises:
        LimitExceeded: the time was not enough.
    """
    run.look_at_clock()
    try:
        return work(run.limits.regex_s)
    except TimeoutError:
        raise _too_slow(run.limits.regex_s) from None


def _too_slow(seconds: float) -> LimitExceeded:
    return LimitExceeded("regex_s", f"a regular expression may take {seconds} seconds")


def matches_in(expression: Pattern[str], text: str, seconds: float) -> Iterator[Match[str]]:
    """The matches from left to right; as in Java, none begins where one of no width was.

    Raises:
        TimeoutError: they take longer than so many seconds.
    """
    end = monotonic() + seconds
    empty_at = -1
    for match in expression.finditer(text, timeout=seconds):
        if match.start() == empty_at:
            yield from _matches_from(expression, text, empty_at + 1, end)
            return
        yield match
        empty_at = match.end() if match.start() == match.end() else -1


def _matches_from(expression: Pattern[str], text: str, at: int, end: float) -> Iterator[Match[str]]:
    while at <= len(text):
        remaining = end - monotonic()
        if remaining <= 0:
            raise TimeoutError
        match = expression.search(text, at, timeout=remaining)
        if match is None:
            return
        yield match
        at = match.end() + (match.start() == match.end())


def replacer(template: str) -> Callable[[Match[str]], str]:
    """Fills Java's replacement text: `$1` and `${name}` are groups, a backslash quotes.

    Raises:
        LookupError: when called, if the match has no such group, or nothing follows a backslash.
    """
    parts = _template_parts(template)

    def fill(match: Match[str]) -> str:
        return "".join(part if isinstance(part, str) else _group(match, part[0]) for part in parts)

    return fill


def _template_parts(template: str) -> list[str | tuple[str]]:
    parts: list[str | tuple[str]] = []
    at = 0
    while at < len(template):
        char = template[at]
        if char == "\\":
            parts.append(template[at + 1 : at + 2] or (char,))
            at += 2
        elif char == "$":
            end = _end_of_group(template, at + 1)
            parts.append((template[at + 1 : end].strip("{}"),))
            at = end
        else:
            parts.append(char)
            at += 1
    return parts


def _end_of_group(template: str, at: int) -> int:
    if template[at : at + 1] == "{":
        return template.find("}", at) + 1 or len(template)
    end = at
    while end < len(template) and template[end].isdecimal():
        end += 1
    return end


def _group(match: Match[str], name: str) -> str:
    """As Java reads `$12`: group 12 if there are so many, else group 1 and the text `2`."""
    if not name.isdecimal():
        if name not in match.groupdict():
            raise LookupError(name)
        return match[name] or ""
    end = 1
    while end < len(name) and int(name[: end + 1]) <= len(match.groups()):
        end += 1
    return (match[int(name[:end])] or "") + name[end:]
