"""Hostile input: an error of ours, in time and within memory, whatever the text asks for."""

from __future__ import annotations

import subprocess
import sys
from math import inf

import pytest

import feel
from feel.limits import DEFAULT_LIMITS
from tests.kit.cpu import cpu_s, least_cpu_s
from tests.kit.feel_hostile import HOSTILE


def _answer(text):
    return feel.to_json(feel.compile(text).evaluate())


@pytest.fixture(scope="module")
def all_steps_s():
    """What a plain loop takes that uses up all its steps: about a quarter of a second."""
    expression = feel.compile("for i in 1..1000, j in 1..1000, k in 1..1000 return [i, j, k]")

    def run():
        with pytest.raises(feel.LimitExceeded, match="steps"):
            expression.evaluate(limits=feel.Limits(deadline_s=inf))

    return least_cpu_s(run)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_in_time(text, all_steps_s):
    """A text that asks for too much costs no more than a few times what a long loop may."""

    def refuse():
        with pytest.raises(feel.FeelError):
            _answer(text)

    assert cpu_s(refuse) < 20 * all_steps_s


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_stays_below_200_mb(name):
    """A process that evaluates a hostile text never holds 200 MB."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.kit.feel_hostile", name],
        check=True,
        capture_output=True,
        text=True,
    )
    assert float(done.stdout) < 200


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
    assert feel.compile(text).evaluate(limits=feel.Limits(deadline_s=inf)) is not None
    with pytest.raises(feel.LimitExceeded) as caught:
        feel.compile(text).evaluate(limits=limits)
    assert caught.value.limit == limit


def test_ordinary_work_stays_far_below_the_limits():
    """Ten thousand rounds with some work in each take a twentieth of the steps at most."""
    limits = feel.Limits(steps=DEFAULT_LIMITS.steps // 20, deadline_s=inf)
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


@pytest.mark.parametrize(
    ("before", "opening"), [("", '"\\'), ('1 + "\\', '"\\'), ("", "/* "), ("", '@"a')]
)
def test_what_is_left_open_is_read_once(before, opening):
    """Of a text or comment without its end, 16 times as much costs 16 times, not 256 times."""

    def reading_s(times):
        def read():
            with pytest.raises(feel.FeelSyntaxError):
                feel.compile(before + opening * times)

        return least_cpu_s(read)

    assert reading_s(48_000) < 64 * reading_s(3_000)
