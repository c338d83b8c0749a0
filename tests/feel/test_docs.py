"""The examples of the documentation run."""

from __future__ import annotations

import doctest
from pathlib import Path

import feel
from feel.functions import BUILTINS
from feel.limits import DEFAULT_LIMITS

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "feel.md"


def test_the_examples_of_the_page_run():
    """Every example of the page comes to the result that stands below it."""
    text = PAGE.read_text("utf-8").replace("```", "")
    example = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    assert doctest.DocTestRunner().run(example).failed == 0
    assert len(example.examples) > 10


def test_the_example_of_the_package_runs():
    """The example in the package's own docstring holds."""
    assert doctest.testmod(feel).failed == 0


def test_the_page_gives_the_default_limits():
    """The table of limits has each limit with its default."""
    page = PAGE.read_text("utf-8").replace(",", "")
    for name in DEFAULT_LIMITS.__dataclass_fields__:
        assert (
            f"| `{name}` | {getattr(DEFAULT_LIMITS, name):g} |".replace("2e+06", "2000000").replace(
                "1e+06", "1000000"
            )
            in page
        )


def test_the_differences_from_camunda_are_as_told():
    """What the page says of this engine, it does."""
    results = {
        '-@"P1D"': "-P1D",
        '@"PT1H" * 1.5': "PT1H30M",
        '@"P1Y" / @"P5M"': 2.4,
        "string(0.0000001)": "0.0000001",
        'string(3 * @"PT0.5S")': "PT1.5S",
        "for i in [[1, 2], [3]], j in i return j": [1, 2, 3],
        "list contains([{a: 1}], {a: 1})": True,
        '@"10:00:00+01:00" - @"10:00:00Z"': "-PT1H",
        '@"2020-01-01T10:00:00@Europe/Berlin" <= @"2020-01-01T10:00:00+01:00"': True,
        "modulo(1, 0)": None,
        "log(0)": None,
        "0 ** -1": None,
        'substring("a", -2)': "a",
        "[1..3]": "[1..3]",
        r'matches("a", "(a)\2")': None,
        r'string length("\\\n")': 2,
        "(function(x) x)(1)": 1,
        "{a: {then: 1}.then}.a": 1,
        "[1] instance of list<number>": True,
        r'"\u0041"': "A",
        "before(range: [1..2], point: 3)": True,
    }
    for text, result in results.items():
        assert feel.to_json(feel.compile(text).evaluate()) == result
    assert "fromAi" in BUILTINS
