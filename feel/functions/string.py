from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from typing import TYPE_CHECKING

from feel.functions.patterns import compiled, matches_in, replacer, within_time
from feel.functions.registry import Category
from feel.run import Run

if TYPE_CHECKING:
    from regex import Match, Pattern

STRING = Category("String functions")
_LAST_OF_ONE_UNIT = "\uffff"
_UP_TO_BLANK = "".join(map(chr, range(0x21)))
_NO_BLANKS = frozenset("\x85\xa0\u2007\u202f")
"""Blanks to Python, not to Java."""


@STRING.function(
    "substring",
    "string: string, start position: integer, length?: integer",
    ('substring("foobar", 3)', '"obar"'),
    ('substring("foobar", -3, 2)', '"ba"'),
)
def substring(_run: Run, text: str, start: int, length: int | None = None) -> str:
    """The text from a position on, 1 being the first and -1 the last, or so many characters."""
    if start == 0:
        return ""
    units = _units(text)
    size = len(text) if units is None else len(units) // 2
    first = start - 1 if start > 0 else max(0, size + start)
    end = size if length is None else first + max(0, length)
    if units is None:
        return text[first:end]
    return units[2 * first : 2 * end].decode("utf-16-le", "ignore")


def _units(text: str) -> bytes | None:
    """The text in UTF-16 if it has characters that take two units there, else None.

    Positions and lengths are counted in these units, as on Camunda; half a character that a cut
    would leave behind is dropped.
    """
    if text.isascii() or max(text) <= _LAST_OF_ONE_UNIT:
        return None
    return text.encode("utf-16-le", "surrogatepass")


@STRING.function("string length", "string: string", ('string length("foo")', "3"))
def string_length(_run: Run, text: str) -> int:
    """The number of characters, one beyond the basic plane of Unicode counting twice."""
    units = _units(text)
    return len(text) if units is None else len(units) // 2


@STRING.function("upper case", "string: string", ('upper case("aBc4")', '"ABC4"'))
def upper_case(run: Run, text: str) -> str:
    """The text in capitals."""
    run.charge_text(len(text))
    return text.upper()


@STRING.function("lower case", "string: string", ('lower case("aBc4")', '"abc4"'))
def lower_case(run: Run, text: str) -> str:
    """The text in small letters."""
    run.charge_text(len(text))
    return text.lower()


@STRING.function(
    "substring before",
    "string: string, match: string",
    ('substring before("foobar", "bar")', '"foo"'),
)
def substring_before(_run: Run, text: str, match: str) -> str:
    """What stands before a match; empty when there is none."""
    before, found, _ = text.partition(match) if match else ("", "", text)
    return before if found else ""


@STRING.function(
    "substring after", "string: string, match: string", ('substring after("foobar", "ob")', '"ar"')
)
def substring_after(_run: Run, text: str, match: str) -> str:
    """What stands after a match; empty when there is none."""
    return text.partition(match)[2] if match else text


@STRING.function("contains", "string: string, match: string", ('contains("foobar", "of")', "false"))
def contains(_run: Run, text: str, match: str) -> bool:
    """Whether the match stands in the text."""
    return match in text


@STRING.function(
    "starts with", "string: string, match: string", ('starts with("foobar", "fo")', "true")
)
def starts_with(_run: Run, text: str, match: str) -> bool:
    """Whether the text begins with the match."""
    return text.startswith(match)


@STRING.function("ends with", "string: string, match: string", ('ends with("foobar", "r")', "true"))
def ends_with(_run: Run, text: str, match: str) -> bool:
    """Whether the text ends with the match."""
    return text.endswith(match)


@STRING.function(
    "matches",
    "input: string, pattern: string, flags?: string",
    ('matches("foobar", "^fo*bar")', "true"),
    ('matches("FooBar", "foo", "i")', "true"),
    weight=20,
)
def matches(run: Run, text: str, pattern: str, flags: str | None = None) -> bool | None:
    """Whether a regular expression is found in the text; flags are `s`, `m`, `i` and `x`."""
    expression = compiled(run, pattern, flags, text)
    if expression is None:
        return None
    return within_time(run, lambda s: expression.search(text, timeout=s) is not None)


@STRING.function(
    "replace",
    "input: string, pattern: string, replacement: string, flags?: string",
    ('replace("abcd", "(ab)|(a)", "[1=$1][2=$2]")', '"[1=ab][2=]cd"'),
    ('replace("How do you feel?", "Feel", "FEEL", "i")', '"How do you FEEL?"'),
    weight=20,
)
def replace(
    run: Run, text: str, pattern: str, replacement: str, flags: str | None = None
) -> str | None:
    """The text with each match replaced; `$1` in the replacement is the first group."""
    expression = compiled(run, pattern, flags, text)
    if expression is None:
        return None
    longest = (len(text) + 1) * max(1, len(replacement))
    if longest > run.limits.string_chars:
        found = within_time(run, lambda s: sum(1 for _ in matches_in(expression, text, s)))
        run.charge_text(len(text) + found * (len(replacement) + len(text)))
    run.charge_text(len(text))
    try:
        return within_time(run, lambda s: _replaced(expression, text, replacer(replacement), s))
    except LookupError:
        return None


def _replaced(
    expression: Pattern[str], text: str, fill: Callable[[Match[str]], str], seconds: float
) -> str:
    parts: list[str] = []
    start = 0
    for match in matches_in(expression, text, seconds):
        parts += (text[start : match.start()], fill(match))
        start = match.end()
    return "".join([*parts, text[start:]])


@STRING.function(
    "split",
    "string: string, delimiter: string",
    ('split("John Doe", "\\s")', '["John", "Doe"]'),
    ('split("a;b;c;;", ";")', '["a", "b", "c", "", ""]'),
    weight=20,
)
def split(run: Run, text: str, delimiter: str) -> list[str] | None:
    """The pieces of a text between the matches of a regular expression."""
    expression = compiled(run, delimiter, None, text)
    if expression is None:
        return None
    run.charge_text(len(text))
    pieces: list[str] = []
    start = 0
    for match in within_time(run, lambda s: list(matches_in(expression, text, s))):
        # As in Java, a match of no width at the very start cuts nothing off.
        if match.end() == 0:
            continue
        pieces.append(text[start : match.start()])
        start = match.end()
    pieces.append(text[start:])
    run.charge_items(len(pieces))
    return pieces


@STRING.function(
    "extract",
    "string: string, pattern: string",
    ('extract("references are 1234, 1256, 1378", "12[0-9]*")', '["1234", "1256"]'),
    weight=20,
)
def extract(run: Run, text: str, pattern: str) -> list[str] | None:
    """All matches of a regular expression in a text."""
    expression = compiled(run, pattern, None, text)
    if expression is None:
        return None
    run.charge_text(len(text))
    found = within_time(run, lambda s: [m.group() for m in matches_in(expression, text, s)])
    run.charge_items(len(found))
    return found


@STRING.function(
    "extract",
    "input: string, pattern: string",
    ('extract(input: "a1b2", pattern: "[0-9]")', '["1", "2"]'),
    weight=20,
)
def extract_from_input(run: Run, text: str, pattern: str) -> list[str] | None:
    """The same by the name that Camunda's engine has for the text."""
    return extract(run, text, pattern)


@STRING.function("trim", "string: string", ('trim("  hello world  ")', '"hello world"'))
def trim(_run: Run, text: str) -> str:
    """The text without blanks, line breaks and control characters at its ends."""
    return text.strip(_UP_TO_BLANK)


@STRING.function("uuid", "", ("string length(uuid())", "36"), weight=5)
def uuid(_run: Run) -> str:
    """A new random UUID of 36 characters."""
    from uuid import uuid4  # noqa: PLC0415 - keeps the import of the package short

    return str(uuid4())


@STRING.function("to base64", "value: string", ('to base64("FEEL")', '"RkVFTA=="'))
def to_base64(run: Run, text: str) -> str:
    """The text as UTF-8 in Base64."""
    run.charge_text(2 * len(text))
    return b2a_base64(text.encode("utf-8", "surrogatepass"), newline=False).decode()


@STRING.function("from base64", "value: string", ('from base64("RkVFTA==")', '"FEEL"'))
def from_base64(run: Run, text: str) -> str | None:
    """The text of UTF-8 in Base64, which may lack its `=`; null when it is no Base64."""
    run.charge_text(len(text))
    padding = "" if text.endswith("=") else "=" * (-len(text) % 4)
    try:
        return a2b_base64(text + padding, strict_mode=True).decode(errors="replace")
    except ValueError:
        return None


@STRING.function(
    "is blank", "string: string", ('is blank(" ")', "true"), ('is blank("x")', "false")
)
def is_blank(_run: Run, text: str) -> bool:
    """Whether a text has nothing but blanks in it; those that keep words together are none."""
    return not text.strip() and _NO_BLANKS.isdisjoint(text)
