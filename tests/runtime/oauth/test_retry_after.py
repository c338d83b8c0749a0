import pytest
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
    ],
)
def test_both_forms_are_read(text, seconds):
    """Seconds and HTTP dates give seconds from now; anything else gives none."""
    assert retry_after_s(CIMultiDict({"retry-after": text}), NOW_MS) == seconds


def test_absent_header_gives_none():
    """Without the header there is no wish."""
    assert retry_after_s(CIMultiDict(), NOW_MS) is None
