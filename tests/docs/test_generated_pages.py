import pytest

from docs.generate import PAGES, REFERENCE


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name):
    """A reference page says what the code says; `make docs` brings it up to date."""
    assert (REFERENCE / name).read_text(encoding="utf-8") == PAGES[name]()
