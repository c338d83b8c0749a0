import re

import pytest

from connector.settings import ConnectorSettings
from docs.generate import PAGES, REFERENCE
from exporter.settings import ExporterSettings


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name):
    """A reference page says what the code says; `make docs` brings it up to date."""
    assert (REFERENCE / name).read_text(encoding="utf-8") == PAGES[name]()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("connector-settings.md", ConnectorSettings),
        ("exporter-settings.md", ExporterSettings),
    ],
)
def test_settings_are_in_the_order_of_their_page(name, settings):
    """The status page, status.json, the start's log and faults go the way that the page goes."""
    page = re.findall(r"^\| \*\*`([^`]+)`\*\*", (REFERENCE / name).read_text("utf-8"), re.MULTILINE)
    assert [variable.names[0] for _, _, variable in settings.fields()] == page
