"""The FEEL cases of the DMN TCK: each passes, or its difference is listed."""

from __future__ import annotations

import pytest

from tests.kit.feel_tck import DIFFERENCES, PAGE, cases, page

LISTED = {name for names in DIFFERENCES.values() for name in names}
CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_passes_unless_its_difference_is_listed(case):
    """A case comes to the expected result exactly when it is not listed as a difference."""
    assert case.passes() is (case.name not in LISTED)


def test_a_listed_difference_is_a_case():
    """No difference is listed for a case that is not there."""
    assert {case.name for case in CASES} >= LISTED


def test_the_page_is_up_to_date():
    """The page says how the cases come out; `python -m tests.kit.feel_tck` writes it anew."""
    assert PAGE.read_text("utf-8") == page()
