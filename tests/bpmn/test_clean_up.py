"""What the expressions of the example that deletes decide: nothing brings back what is gone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lxml import etree

import feel
from connector.error_expression import IgnoreError, judge
from tests.kit.modeler import EXAMPLES

ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def diagram():
    return etree.parse(next(each for each in EXAMPLES if each.stem == "clean-up"))


@pytest.fixture
def picked(diagram):
    """Give a function that says whether an instance with this end is picked."""
    (script,) = diagram.iterfind(f".//{ZEEBE}script")
    expression = feel.compile(script.get("expression"))

    def is_picked(end_date, **variables):
        now = feel.Function("now", (), lambda: NOW)
        context = {"ended": [{"key": 1, "endDate": end_date}], **variables}
        return bool(expression.evaluate(context, functions={"now": now}))

    return is_picked


@pytest.mark.parametrize("offset", ["+0000", "+00:00", "Z"])
def test_a_month_is_kept_however_the_date_is_written(picked, offset):
    """v1 writes the offset with or without a colon, v2 a Z: the border is the same instant."""
    assert picked(f"2026-10-25T09:00:00.000{offset}")
    assert not picked(f"2026-10-25T09:00:00.001{offset}")


def test_an_offset_is_heeded(picked):
    """A server's own time zone neither makes an instance older nor younger."""
    assert picked("2026-10-25T11:00:00.000+0200")
    assert not picked("2026-10-25T09:00:00.000-0130")


def test_it_is_kept_as_long_as_was_asked_for(picked):
    """`keepFor` is a duration as text."""
    assert picked("2026-11-24T08:00:00.000+0000", keepFor="PT1H")
    assert not picked("2026-11-24T08:00:00.000+0000", keepFor="P1D")


@pytest.mark.parametrize(
    ("end_date", "variables"),
    [("yesterday", {}), (None, {}), ("2020-01-01T00:00:00.000+0000", {"keepFor": "a month"})],
    ids=["no date", "no end", "no duration"],
)
def test_in_doubt_nothing_is_deleted(picked, end_date, variables):
    """What cannot be read deletes nothing."""
    assert not picked(end_date, **variables)


def test_what_is_gone_already_is_no_error(diagram):
    """A 404 completes the job; any other failure, and a success, are left as they are."""
    (header,) = diagram.iterfind(f".//{ZEEBE}header[@key='errorExpression']")
    expression = header.get("value")
    assert judge(expression, {"error": {"code": "404"}}) == IgnoreError()
    assert judge(expression, {"error": {"code": "403"}}) is None
    assert judge(expression, {"response": {"status": 200}}) is None
