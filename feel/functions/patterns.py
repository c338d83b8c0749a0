"""Java's regular expressions, with a time limit, by the `regex` package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from feel.errors import LimitExceeded
from feel.run import Run
from feel.values import Value

if TYPE_CHECKING:
    from regex import Match, Pattern

_Result = TypeVar("_Result")


def compiled(run: Run, pattern: str, flags: str | None) -> Pattern[str] | None:
    """Java's pattern with the flags `s m i x`, others having no effect; None when it is none.

    Raises:
        LimitExceeded: the pattern is too long.
    """
    if len(pattern) > run.limits.regex_chars:
        raise LimitExceeded(
            "regex_chars",
            f"a regular expression may have {run.limits.regex_chars:,} characters",
        )
    return _compiled(pattern, "".join(sorted(set(flags or "") & set("smix"))))


@lru_cache(maxsize=256)
def _compiled(pattern: str, flags: str) -> Pattern[str] | None:
    import regex  # noqa: PLC0415 - slow to import, and most evaluations need none

    from feel.functions.java_regex import translated  # noqa: PLC0415 - needed with `regex` only

    try:
        translation, needs_unicode = translated(pattern, flags)
        bits = regex.VERSION1 | (regex.UNICODE if needs_unicode else regex.ASCII)
        return regex.compile(translation, bits | (regex.IGNORECASE if "i" in flags else 0))
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
        raise LimitExceeded(
            "regex_s", f"a regular expression may take {run.limits.regex_s} seconds"
        ) from None


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
        LookupError: when called, if the match has no such group.
    """
    parts = _template_parts(template)

    def fill(match: Match[str]) -> str:
        return "".join(
            part if isinstance(part, str) else match.group(_group(match, part[0])) or ""
            for part in parts
        )

    return fill


def _template_parts(template: str) -> list[str | tuple[str]]:
    parts: list[str | tuple[str]] = []
    at = 0
    while at < len(template):
        char = template[at]
        if char == "\\" and at + 1 < len(template):
            parts.append(template[at + 1])
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


def _group(match: Match[str], name: str) -> int | str:
    """As Java reads `$12`: group 12 if there are so many, else group 1 and the text `2`."""
    if not name.isdecimal():
        return name if name in match.groupdict() else _no_group(name)
    number = int(name)
    return number if number <= len(match.groups()) else _no_group(name)


def _no_group(name: str) -> Value:
    raise LookupError(name)
