"""ISO 8601 texts of timers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.bpmn.timers import (
    ENDLESS,
    parse_cycle,
    parse_date_time_ms,
    parse_interval,
)

_NOON_MS = parse_date_time_ms("2024-01-31T12:00:00Z")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("PT0S", "2024-01-31T12:00:00Z"),
        ("PT1.5S", "2024-01-31T12:00:01.500Z"),
        ("PT1H30M", "2024-01-31T13:30:00Z"),
        ("P1D", "2024-02-01T12:00:00Z"),
        ("P2W", "2024-02-14T12:00:00Z"),
        ("P1M", "2024-02-29T12:00:00Z"),
        ("P1Y1M1DT1S", "2025-03-01T12:00:01Z"),
        ("-PT1H", "2024-01-31T11:00:00Z"),
    ],
)
def test_intervals(text, after):
    """A span leads to its moment; months are calendar months and end with a shorter one."""
    assert parse_interval(text).after_ms(_NOON_MS) == parse_date_time_ms(after)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "1H", "PT1", "P1H", "R/PT1H", "soon", "PT1" + "0" * 400 + "S"]
)
def test_no_intervals(text):
    """What is no span is refused with what was given."""
    with pytest.raises(ValueError, match="is no ISO 8601 duration"):
        parse_interval(text)


@pytest.mark.parametrize("text", ["P999999999Y", "P999999999W", "-P999999999M", "PT999999999H"])
def test_spans_out_of_the_calendar(text):
    """A span that no calendar has leads to the calendar's end or beginning, not to a crash."""
    assert 0 <= parse_interval(text).after_ms(_NOON_MS) < 254_000_000_000_000


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=300)))
def test_every_duration_is_kept(span):
    """Days, hours, minutes, seconds and milliseconds come through exactly."""
    milliseconds = span // timedelta(milliseconds=1)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"P{hours // 24}DT{hours % 24}H{minutes}M{rest // 1000}.{rest % 1000:03}S"
    assert parse_interval(text).after_ms(0) == milliseconds


def test_cycles():
    """A cycle has a number of times or none, a span, and perhaps a first moment."""
    assert parse_cycle("R3/PT10S").repetitions == 3
    assert parse_cycle("R/PT10S").repetitions == ENDLESS
    assert parse_cycle("R-1/PT10S").repetitions == ENDLESS
    started = parse_cycle("R2/2024-01-31T12:00:00Z/P1D")
    assert started.start_ms == _NOON_MS
    assert started.interval.after_ms(0) == 86_400_000


@pytest.mark.parametrize("text", ["", "PT10S", "R3", "R3/", "Rx/PT1S", "0 0 * * * *"])
def test_no_cycles(text):
    """What is no cycle is refused; cron expressions are none."""
    with pytest.raises(ValueError, match="ISO 8601"):
        parse_cycle(text)


@given(st.integers(min_value=0, max_value=7_000_000_000_000))
def test_every_moment_is_kept(milliseconds):
    """A date and time in UTC comes through to the millisecond."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    text = moment.isoformat(timespec="milliseconds")
    assert parse_date_time_ms(text) == milliseconds


@pytest.mark.parametrize("text", ["2024-13-01T00:00:00Z", "2024-01-01", "12:00", "tomorrow", ""])
def test_no_dates(text):
    """What is no date and time is refused."""
    with pytest.raises(ValueError):  # noqa: PT011 - the library's words for an impossible month
        parse_date_time_ms(text)
