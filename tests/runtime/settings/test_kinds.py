import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.settings.kinds import (
    parse_bytes,
    parse_duration_ms,
    parse_duration_s,
    parse_list,
    show_bytes,
    show_duration,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT25S", 25),
        ("PT5M", 300),
        ("P1D", 86_400),
        ("P1W", 604_800),
        ("P1DT1H1M1.5S", 90_061.5),
        ("pt0.5s", 0.5),
        ("PT0,5S", 0.5),
        ("PT0S", 0),
        ("25", 25),
        ("0.25", 0.25),
    ],
)
def test_duration_is_read_as_seconds(text, seconds):
    """ISO-8601 durations and plain numbers give seconds."""
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "P1M",
        "P1Y",
        "PT1",
        "25s",
        "-PT5S",
        "-5",
        "nan",
        "inf",
        "1e3",
        "R3/PT1S",
        "٣",
    ],
)
def test_duration_of_another_form_is_refused(text):
    """Calendar units, signs, bare suffixes and digits of other scripts are no durations."""
    with pytest.raises(ValueError, match="duration"):
        parse_duration_s(text)


@given(st.integers(min_value=0, max_value=10**9).map(lambda ms: ms / 1000))
def test_shown_duration_reads_back(seconds):
    """What `show_duration` writes is read as the same number of seconds."""
    assert parse_duration_s(show_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "PT0S"), (25.0, "PT25S"), (300.0, "PT5M"), (86_400, "P1D"), (90_061.5, "P1DT1H1M1.5S")],
)
def test_duration_is_shown_in_iso_notation(seconds, text):
    """Seconds are shown as the shortest ISO-8601 duration."""
    assert show_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("1500", 1500), ("PT1.5S", 1500), ("PT0.0005S", 0), ("P1D", 86_400_000)],
)
def test_milliseconds_are_read_from_numbers_and_durations(text, milliseconds):
    """A plain number is milliseconds; a duration is turned into them."""
    assert parse_duration_ms(text) == milliseconds


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("1048576", 1_048_576),
        ("50 MiB", 52_428_800),
        ("50MiB", 52_428_800),
        ("1gib", 1_073_741_824),
        ("1.5 KiB", 1536),
        ("5MB", 5_000_000),
        ("5k", 5000),
        ("5Mi", 5_242_880),
        ("7 B", 7),
    ],
)
def test_size_is_read_as_bytes(text, size_bytes):
    """Binary and decimal units give bytes."""
    assert parse_bytes(text) == size_bytes


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1 TiB", "1 iB", "5 MiB x", "1e3"])
def test_size_of_another_form_is_refused(text):
    """Signs, unknown units and lone units are no sizes."""
    with pytest.raises(ValueError, match="size"):
        parse_bytes(text)


@given(st.integers(min_value=0, max_value=2**50))
def test_shown_size_reads_back(size_bytes):
    """What `show_bytes` writes is read as the same number of bytes."""
    assert parse_bytes(show_bytes(size_bytes)) == size_bytes


def test_list_is_split_and_trimmed():
    """Items are trimmed and empty ones are left out."""
    assert parse_list(" a.example , ,b ,") == ("a.example", "b")
