import pytest

from connector.durations import duration_ms
from connector.errors import HeaderInvalid
from connector.headers import TaskHeaders, read_headers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT1M", 60_000),
        ("P1D", 86_400_000),
        ("P1DT2H3M4.5S", 93_784_500),
        ("PT0.0015S", 1),
        ("-PT10M", -600_000),
        ("PT-10M", -600_000),
        ("PT-1.5S", -1500),
        ("pt1s", 1000),
        ("P1D1S", None),
        ("30s", None),
        ("", None),
        ("P", None),
        ("PT", None),
        ("P1DT", None),
        ("P1M", None),
        ("PT99999999999999999999H", None),
        (30, None),
    ],
)
def test_durations_are_read_as_java_reads_them(text, expected):
    """A duration header means here what it means to Camunda's runtime."""
    assert duration_ms(text) == expected


def test_blank_headers_count_as_absent():
    """Modeler keeps headers that were emptied."""
    assert read_headers('{"resultVariable": " ", "resultExpression": "\\t"}') == TaskHeaders()


@pytest.mark.parametrize("text", ["P1D1S", "30s", ""])
def test_a_bad_back_off_header_is_refused(text):
    """A back-off that cannot be read would otherwise be found out at the first failure."""
    with pytest.raises(HeaderInvalid, match="Failed to parse retry backoff header"):
        read_headers(f'{{"retryBackoff": "{text}"}}')


def test_a_job_timeout_must_be_positive():
    """A job cannot be held for less than no time."""
    with pytest.raises(HeaderInvalid, match="must be a positive duration"):
        read_headers('{"jobTimeout": "PT-10M"}')
