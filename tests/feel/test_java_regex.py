"""Regular expressions mean what they mean in Java."""

from __future__ import annotations

import pytest

import feel


def evaluate(expression, /, **context):
    return feel.compile(expression).evaluate(context)


@pytest.mark.parametrize(
    ("text", "pattern", "flags", "found"),
    [
        ("é", r"^\p{L}$", "", True),
        ("É", r"\p{Lu}", "", True),
        ("ω", r"\p{IsGreek}", "", True),
        ("ω", r"\p{InGreek}", "", True),
        ("é", r"\p{gc=Ll}", "", True),
        ("é", r"[^\p{L}]", "", False),
        ("é", r"\P{L}", "", False),
        ("é", r"\pL", "", True),
        ("é", r"\p{Alpha}", "", False),
        ("$", r"\p{Punct}", "", True),
        ("a", r"\p{javaLowerCase}", "", True),
        ("a", r"\p{IsL}", "", True),
        ("é", r"\p{Latin}", "", None),
        ("é", r"\w", "", False),
        ("É", "é", "i", False),
        ("É", "(?iu)é", "", True),
        ("a.b", r"^\Qa.b\E$", "", True),
        ("axb", r"^\Qa.b\E$", "", False),
        (".", r"[\Q.]\E]", "", True),
        ("fo", "^(foo){e}$", "", None),
        ("a", "(?P<x>a)", "", None),
        ("aa", r"(?<x>a)\k<x>", "", True),
        ("aa", "(?<x>a)(?<x>a)", "", None),
        ("a", r"\m", "", None),
        ("a", "(?#c)a", "", None),
        ("a{", "a{", "", None),
        ("a", "a{,2}", "", None),
        ("|", "[a||b]", "", True),
        ("~", "[a~~b]", "", True),
        ("-", "[+--]", "", True),
        ("-", "[a--]", "", None),
        ("-", r"[\w-.]", "", True),
        ("b", "[a-z&&[^b]]", "", False),
        ("c", "[a-z&&[^b]]", "", True),
        ("]", "[]a]", "", True),
        ("a", "[z-a]", "", None),
        ("a", "[a", "", None),
        ("a", "a)", "", None),
        ("x", r"\x{78}", "", True),
        ("x", r"\0170", "", True),
        ("x", r"\x78", "", True),
        ("x", r"\u0078", "", True),
        ("\x01", r"\cA", "", True),
        ("a\tb", r"a\hb", "", True),
        ("a\r\nb", r"^a\Rb$", "", True),
        ("a\n", r"a\z", "", False),
        ("a\n", r"a\Z", "", True),
        ("a\r\n", "a$", "", True),
        ("a\nb", "a$", "", False),
        ("a\nb", "a$", "m", True),
        ("a\nb", "(?m)^b", "", True),
        ("a\rb", "a.b", "", False),
        ("a\rb", "(?d)a.b", "", True),
        ("a\rb", "a.b", "s", True),
        ("a\nb", "a(?s:.)b", "", True),
        ("aXB", "a(?i:x)b", "", False),
        ("AXb", "(?i)ax(?-i)b", "", True),
        ("helloworld", " hello # a comment", "x", True),
        ("hello world", " hello[ ]world", "x", None),
        ("a b", r"a\ b", "x", True),
        ("aab1", r"(a)\11", "", False),
        ("aa1", r"(a)\11", "", True),
        ("h", r"(.)\3", "", None),
    ],
)
def test_a_pattern_is_found_as_in_java(text, pattern, flags, found):
    """`matches` gives what Java finds, and null where Java knows no such pattern."""
    arguments = {"text": text, "pattern": pattern, "flags": flags}
    assert evaluate("matches(text, pattern, flags)", **arguments) is found


@pytest.mark.parametrize(
    ("text", "pattern", "replacement", "flags", "result"),
    [
        ("a\nb\n", "^", ">", "m", ">a\n>b\n"),
        ("a\r\nb\r\n", "$", "|", "m", "a|\r\nb|\r\n|"),
        ("a\r\nb\r\n", "$", "|", "", "a\r\nb|\r\n|"),
        ("a\r\nb", ".", "|", "", "|\r\n|"),
        ("a\r\nb", ".", "|", "s", "||||"),
        ("2024-01-02", r"(\d+)-(\d+)-(\d+)", "$3.$2.$1", "", "02.01.2024"),
        ("abc", "(?<m>b)", "[${m}]", "", "a[b]c"),
        ("abc", "|ab", "-", "", "-a-b-c-"),
        ("a.b", "b*?", "-", "", "-a-.-b-"),
        ("aab", "a*", "-", "", "--b-"),
    ],
)
def test_matches_are_replaced_as_in_java(text, pattern, replacement, flags, result):
    """`replace` puts the replacement wherever Java would."""
    arguments = {"text": text, "pattern": pattern, "by": replacement, "flags": flags}
    assert evaluate("replace(text, pattern, by, flags)", **arguments) == result


def test_a_pattern_may_not_be_too_long():
    """Compiling a long pattern takes time that nothing can end, so its length is bounded."""
    with pytest.raises(feel.LimitExceeded) as caught:
        evaluate('matches("a", pattern)', pattern="a" * 1_001)
    assert caught.value.limit == "regex_chars"


@pytest.mark.parametrize("pattern", ["[" * 900, "(" * 450, "(?i:" * 200])
def test_a_deep_pattern_is_no_pattern(pattern):
    """Sets and groups nested without end give null."""
    assert evaluate('matches("a", pattern)', pattern=pattern) is None


@pytest.mark.parametrize(
    "pattern", ["a{2147483647}", "(((a{100}){100}){100}){100}", "(?:a|bc){300000}"]
)
def test_repetitions_count_towards_the_length(pattern):
    """What must be repeated is kept so many times, so its length is bounded too."""
    with pytest.raises(feel.LimitExceeded, match="repetitions written out"):
        evaluate('matches("a", pattern)', pattern=pattern)


def test_a_long_text_and_a_long_pattern_are_refused():
    """A literal is looked for without a clock, so text and pattern are bounded together."""
    with pytest.raises(feel.LimitExceeded, match=r"may take 0\.5 seconds"):
        evaluate("matches(text, pattern)", text="a" * 500_000, pattern="b" + "a" * 900)
    with pytest.raises(feel.LimitExceeded, match="a text to search may have 1,000,000 characters"):
        evaluate('matches(text, "b")', text="a" * 1_000_001)
