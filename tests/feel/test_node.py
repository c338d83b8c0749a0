"""The parts of an expression are frozen, comparable and complete."""

from __future__ import annotations

import copy
import pickle

import pytest

from feel.syntax import Argument, Binary, Name, NullLiteral, NumberLiteral

SUM = Binary("+", NumberLiteral(1), Name("a"))


def test_equal_parts_are_equal():
    """Class and fields tell parts apart."""
    assert Binary("+", NumberLiteral(1), Name("a")) == SUM
    assert Binary("-", NumberLiteral(1), Name("a")) != SUM
    assert NumberLiteral(1) != Name("a")
    assert len({SUM, Binary("+", NumberLiteral(1), Name("a")), NullLiteral()}) == 2


def test_a_part_shows_its_fields():
    """The representation is the text that makes the part."""
    assert repr(SUM) == ("Binary(operator='+', left=NumberLiteral(value=1), right=Name(name='a'))")


def test_a_part_can_be_copied():
    """Copies and pickles are equal to the original."""
    assert copy.deepcopy(SUM) == SUM
    assert pickle.loads(pickle.dumps(SUM)) == SUM


def test_fields_have_names_and_defaults():
    """Fields go by place or by name, and those with a default may be left out."""
    assert Argument(SUM).name is None
    assert Argument(SUM, "a") == Argument(name="a", value=SUM)


@pytest.mark.parametrize(
    ("values", "named"),
    [((), {}), ((1, 2, 3), {}), ((), {"value": 1, "other": 2}), ((1,), {"other": 2})],
)
def test_fields_are_checked(values, named):
    """A missing field, or one too many, is refused."""
    with pytest.raises(TypeError, match="Argument takes value, name"):
        Argument(*values, **named)


def test_a_part_does_not_change():
    """Fields can neither be set nor deleted."""
    part = Name("a")
    with pytest.raises(AttributeError):
        part.name = "b"
    with pytest.raises(AttributeError):
        del part.name
    with pytest.raises(AttributeError):
        part.other = 1
