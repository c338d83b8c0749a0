"""Hostile input: an error of ours, in time and within memory, whatever the text asks for."""

from __future__ import annotations

import time

import pytest

import feel
from feel.limits import DEFAULT_LIMITS


def _nested(opening, inner, closing, times=3_000):
    return opening * times + inner + closing * times


def _doubled(first, step):
    entries = [f"a0: {first}", *(f"a{n}: {step.format(f'a{n - 1}')}" for n in range(1, 60))]
    return "{" + ", ".join(entries) + "}"


HOSTILE = {
    "3000 nested brackets": _nested("(", "1", ")"),
    "3000 nested lists": _nested("[", "", "]"),
    "3000 nested contexts": _nested("{a: ", "1", "}"),
    "3000 nested conditions": _nested("if true then ", "1", " else 1"),
    "3000 nested calls": _nested("not(", "true", ")"),
    "3000 nested functions": _nested("function() ", "1", ""),
    "3000 signs": _nested("-", "1", ""),
    "a sum of 3000 terms": "+".join(["1"] * 3_000),
    "a path of 3000 names": "a" + ".a" * 3_000,
    "3000 filters": "a" + "[1]" * 3_000,
    "1e400": "1e400",
    "a number of 400 digits": "1" * 400,
    "a power of 400 digits": "10 ** 400",
    "a power of a billion digits": "2 ** 1000000000",
    "a huge power of nearly one": "1.0000000001 ** (10 ** 30)",
    "e to the 1000": "exp(1000)",
    "a product of durations": 'duration("P1D") * 10 ** 300',
    "repeated squaring": _doubled("9999999999", "{0} * {0}"),
    "repeated doubling of a text": _doubled('"xxxxxxxxxx"', "{0} + {0}"),
    "repeated doubling of a list": _doubled("[1, 2, 3]", "concatenate({0}, {0})"),
    "a list in itself twice, as JSON": _doubled("[1]", "[{0}, {0}]"),
    "a list in itself twice, as text": f"string({_doubled('[1]', '[{0}, {0}]')})",
    "a list in itself twice, as JSON text": f"to json({_doubled('[1]', '[{0}, {0}]')})",
    "10^10 rounds": "count(for a in 1..100000, b in 1..100000 return a)",
    "10^10 counted": "count(for a in 1..10000000000 return a)",
    "10^10 rounds of some": "some a in 1..100000, b in 1..100000 satisfies a = -b",
    "three million contexts": "for a in 1..3000000 return {x: a, y: a}",
    "three million functions": "for a in 1..3000000 return function() a",
    "results of results": "for i in 1..100000 return partial",
    "a list a hundred thousand deep": "for i in 1..100000 return [partial[-1]]",
    "a text from a list 5000 deep": "string(for i in 1..5000 return [partial[-1]])",
    "equality of lists 5000 deep": "{a: for i in 1..5000 return [partial[-1]], b: a = a}.b = a",
    "endless recursion": "{f: function(g) g(g), r: f(f)}.r",
    "endless recursion that grows": "{f: function(g, n) 1 + g(g, n + 1), r: f(f, 1)}.r",
    "a thousand slow expressions": (
        'for i in 1..1000 return matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaa" + string(i), "^(a|aa)+$")'
    ),
    "a text replaced to a hundred times its length": (
        'replace(string join(for i in 1..100000 return "aaaaaaaaaa"), "a", "' + "b" * 100 + '")'
    ),
    "a thousand long texts": (
        '{s: string join(for i in 1..100000 return "aaaaaaaaaa"),'
        " r: for i in 1..1000 return s + string(i)}.r"
    ),
    "distinct contexts, each compared with all": "distinct values(for i in 1..50000 return {a: i})",
    "a text of 300,000 characters": '"' + "a" * 300_000 + '"',
}


def _answer(text):
    return feel.to_json(feel.compile(text).evaluate())


def _is_an_answer(text):
    try:
        _answer(text)
    except feel.FeelError:
        return False
    return True


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_in_time(text):
    """A text that asks for too much raises an error of ours well before ten seconds are over."""
    start_s = time.monotonic()
    if _is_an_answer(text):
        pytest.fail("this text asked for too much and got it")
    assert time.monotonic() - start_s < 10


def test_a_slow_regular_expression_ends_at_its_own_limit():
    """One match that would take ages raises after the seconds that one match may take."""
    limits = feel.Limits(regex_s=0.05)
    expression = feel.compile('matches(s, "^(a|a)*$")')
    with pytest.raises(feel.LimitExceeded) as caught:
        expression.evaluate({"s": "a" * 40 + "b"}, limits=limits)
    assert caught.value.limit == "regex_s"


@pytest.mark.parametrize(
    ("limits", "text", "limit"),
    [
        (feel.Limits(steps=1_000), "for i in 1..1000 return i + 1", "steps"),
        (
            feel.Limits(calls=3),
            "{f: function(g, n) if n = 0 then 0 else g(g, n - 1), r: f(f, 5)}.r",
            "calls",
        ),
        (feel.Limits(string_chars=10), '"123456" + "123456"', "string_chars"),
        (feel.Limits(list_items=10), "for i in 1..11 return i", "list_items"),
        (feel.Limits(deadline_s=0.0), "for i in 1..100000 return i * i", "deadline_s"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_each_limit_ends_the_evaluation_that_reaches_it(limits, text, limit):
    """A limit that is reached is named in the error; the default limits would let it pass."""
    assert feel.compile(text).evaluate() is not None
    with pytest.raises(feel.LimitExceeded) as caught:
        feel.compile(text).evaluate(limits=limits)
    assert caught.value.limit == limit


def test_ordinary_work_stays_far_below_the_limits():
    """Ten thousand rounds with some work in each take a twentieth of the steps at most."""
    limits = feel.Limits(steps=DEFAULT_LIMITS.steps // 20)
    text = "sum(for i in 1..10000 return if odd(i) then i else i * 2)"
    assert feel.compile(text).evaluate(limits=limits) == 75_010_000


def test_values_of_the_context_may_be_larger_than_what_may_be_made():
    """The limits hold for what an expression makes, not for what it is given."""
    limits = feel.Limits(string_chars=10, list_items=10)
    context = {"text": "x" * 1_000, "items": list(range(1_000))}
    expression = feel.compile("{text: text, last: items[-1], count: count(items)}")
    assert expression.evaluate(context, limits=limits) == {
        "text": context["text"],
        "last": 999,
        "count": 1_000,
    }
