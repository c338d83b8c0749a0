import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from runtime.retry_after import retry_after_s

NOW_MS = 1_700_000_000_000  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        (" 5 ", 5),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60),
        ("Tue, 14 Nov 2023 23:14:20 +0100", 60),
        ("Tue, 14 Nov 2023 22:14:20", 60),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("9" * 30, None),
        ("Tue, 99 Nov 2023 22:14:20 GMT", None),
        ("Tue, 14 Nov 2023 22:14:20 +" + "9" * 20, None),
        ("Fri, 31 Dec 9999 23:59:59 -1200", 253_402_343_999 - NOW_MS // 1000),
    ],
)
def test_both_forms_are_read(text, seconds):
    """Seconds and HTTP dates give seconds from now; anything else gives none."""
    assert retry_after_s(CIMultiDict({"retry-after": text}), NOW_MS) == seconds


DATES = st.from_regex(
    r"[A-Z][a-z]{2}, [0-9]{1,3} (Jan|Nov) [0-9]{1,8} [0-9:]{1,9} ([A-Z]{3}|[+-][0-9]{1,30})?",
    fullmatch=True,
)


@given(st.one_of(st.text(max_size=60), DATES))
def test_no_header_is_an_error(text):
    """Whatever a server sends, there is a wish of some seconds or none."""
    wished_s = retry_after_s({"Retry-After": text}, NOW_MS)
    assert wished_s is None or wished_s >= 0


def test_absent_header_gives_none():
    """Without the header there is no wish."""
    assert retry_after_s(CIMultiDict(), NOW_MS) is None
