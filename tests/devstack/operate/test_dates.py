from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.operate.dates import any_to_ms, to_ms, to_range_ms, to_text

MS_2024 = 1_708_036_810_834  # 2024-02-15T22:40:10.834Z, a Thursday


def test_a_date_is_written_with_milliseconds_and_an_offset_without_colon():
    """The output format is the one that Operate documents."""
    assert to_text(MS_2024) == "2024-02-15T22:40:10.834+0000"


def test_the_rfc3339_option_writes_a_colon():
    """With the server option the offset has a colon."""
    assert to_text(MS_2024, rfc3339=True) == "2024-02-15T22:40:10.834+00:00"


@given(st.integers(0, 4_000_000_000_000), st.booleans())
def test_what_is_written_is_read_back(epoch_ms, rfc3339):
    """Text and milliseconds are two forms of one value."""
    assert to_ms(to_text(epoch_ms, rfc3339=rfc3339), rfc3339=rfc3339) == epoch_ms


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("", "2024-02-15T22:40:10.834+00:00", "2024-02-15T22:40:10.834+00:00"),
        ("||/y", "2024-01-01T00:00:00.000+00:00", "2024-12-31T23:59:59.999+00:00"),
        ("||/M", "2024-02-01T00:00:00.000+00:00", "2024-02-29T23:59:59.999+00:00"),
        ("||/w", "2024-02-12T00:00:00.000+00:00", "2024-02-18T23:59:59.999+00:00"),
        ("||/d", "2024-02-15T00:00:00.000+00:00", "2024-02-15T23:59:59.999+00:00"),
        ("||/h", "2024-02-15T22:00:00.000+00:00", "2024-02-15T22:59:59.999+00:00"),
        ("||/m", "2024-02-15T22:40:00.000+00:00", "2024-02-15T22:40:59.999+00:00"),
        ("||/s", "2024-02-15T22:40:10.000+00:00", "2024-02-15T22:40:10.999+00:00"),
        ("||-1d/d", "2024-02-14T00:00:00.000+00:00", "2024-02-14T23:59:59.999+00:00"),
        ("||+1M/M", "2024-03-01T00:00:00.000+00:00", "2024-03-31T23:59:59.999+00:00"),
        ("||+1h", "2024-02-15T23:40:10.834+00:00", "2024-02-15T23:40:10.834+00:00"),
        ("||-1y", "2023-02-15T22:40:10.834+00:00", "2023-02-15T22:40:10.834+00:00"),
    ],
)
def test_date_math_spans_the_unit(text, first, last):
    """A rounded date means the whole unit around it, in UTC."""
    ends = [int(datetime.fromisoformat(end).timestamp() * 1000) for end in (first, last)]
    assert to_range_ms(f"2024-02-15T22:40:10.834+0000{text}") == tuple(ends)


def test_another_offset_is_brought_to_utc_before_rounding():
    """The day is the day in UTC, whatever the offset."""
    assert to_range_ms("2024-02-15T23:30:00.000-0100||/d") == to_range_ms(
        "2024-02-16T00:30:00.000+0000||/d",
    )


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-15",
        "2024-02-15T22:40:10Z",
        "2024-02-15T22:40:10.834+00:00",
        "2024-02-15T22:40:10.834",
        "2024-02-30T22:40:10.834+0000",
        "2024-02-15T22:40:10.834+0000||/q",
        "2024-02-15T22:40:10.834+0000||d",
        "2024-02-15T22:40:10.834+0000||+9999y",
        "now",
    ],
)
def test_any_other_date_is_refused(text):
    """Only the full format and known units are taken."""
    with pytest.raises(ValueError, match=r".+"):
        to_range_ms(text)


def test_the_rfc3339_option_takes_no_compact_offset():
    """The server option switches the input too."""
    with pytest.raises(ValueError, match="date"):
        to_ms("2024-02-15T22:40:10.834+0000", rfc3339=True)


@pytest.mark.parametrize("text", ["2024-02-15T22:40:10.834Z", "2024-02-15T23:40:10.834+0100"])
def test_a_seed_takes_any_offset(text):
    """Seed files may carry dates as v1 or as v2 writes them."""
    moment = datetime(2024, 2, 15, 22, 40, 10, 834_000, tzinfo=UTC)
    assert any_to_ms(text) == int(moment.timestamp() * 1000)


def test_a_seed_date_without_offset_is_refused():
    """Without an offset nobody knows the moment."""
    with pytest.raises(ValueError, match="offset"):
        any_to_ms("2024-02-15T22:40:10.834")
