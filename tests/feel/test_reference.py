"""The reference page: every function is in it, with examples that hold."""

from __future__ import annotations

import pytest

import feel
from docs.feel_pages import PAGES, REFERENCE
from feel.functions import BUILTINS
from tests.kit.feel_values import same

OVERLOADS = [overload for overloads in BUILTINS.values() for overload in overloads]
EXAMPLES = [(overload.name, *example) for overload in OVERLOADS for example in overload.examples]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_up_to_date(name):
    """The page says what the code says; `python -m docs.feel_pages` brings it up to date."""
    assert (REFERENCE / name).read_text("utf-8") == PAGES[name]()


@pytest.mark.parametrize(
    ("expression", "result"),
    [example[1:] for example in EXAMPLES],
    ids=[example[0] for example in EXAMPLES],
)
def test_an_example_has_the_result_that_stands_beside_it(expression, result):
    """Both sides of an example come to the same value."""
    value = feel.to_json(feel.compile(expression).evaluate())
    assert same(value, feel.to_json(feel.compile(result).evaluate()))


@pytest.mark.parametrize("name", [each.name for each in OVERLOADS if not each.examples])
def test_a_function_without_an_example_says_that_it_is_not_available(name):
    """Only a function that cannot be had has no example, and calling it raises."""
    with pytest.raises(feel.FunctionUnavailable, match="not available"):
        feel.compile(f"{name}(1)").evaluate()


def test_every_parameter_can_be_named():
    """A call with named arguments finds the same function as one by place."""
    by_place = feel.compile('substring("foobar", 3, 2)').evaluate()
    by_name = feel.compile('substring(length: 2, string: "foobar", start position: 3)').evaluate()
    assert by_place == by_name == "ob"
