"""The exporter's pages name tests and settings that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from exporter.metrics import METRICS
from exporter.settings import ExporterSettings

ROOT = Path(__file__).parents[2]
EXPLANATION = ROOT / "docs" / "explanation"
PROVED = [EXPLANATION / "guarantees.md", EXPLANATION / "exporter-differences-from-upstream.md"]
PAGES = [
    *PROVED,
    ROOT / "docs" / "how-to" / "read-the-dead-letters.md",
    ROOT / "docs" / "how-to" / "replay-from-a-position.md",
]
KNOWN = {name for _, _, variable in ExporterSettings.fields() for name in variable.names}


def shown(page):
    """A page as the test report shows it."""
    return page.stem


def rows(page):
    """The lines of the page's tables, headings left out."""
    lines = page.read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("| ") and not line.startswith("|---")]
    return [line for line in table if not line.endswith("| proof |")]


@pytest.mark.parametrize("page", PROVED, ids=shown)
def test_every_promise_names_a_test_that_exists(page):
    """Each line of the tables is proved by a test that can be run by that name."""
    tests = set()
    for path in (ROOT / "tests" / "exporter").rglob("test_*.py"):
        tests.update(re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE))
    assert len(rows(page)) > 15
    for row in rows(page):
        named = re.findall(r"`(test_\w+)`", row.split("|")[-2])
        assert named, row
        assert set(named) <= tests, row


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_a_page_names_settings_that_exist(page):
    """A reader who sets what a page says sets something."""
    named = set(re.findall(r"\bAPP_INTEGRATIONS_[A-Z_]+\b", page.read_text(encoding="utf-8")))
    assert named <= KNOWN


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_a_page_names_metrics_that_exist(page):
    """A metric that a page names is one that the service has."""
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:app_integrations|zeebe_app_integrations)_exporter_\w+", text))
    assert named <= {metric.name for metric in METRICS}


def test_the_columns_of_the_list_are_those_of_the_page():
    """The page's example has the headings that the command prints."""
    page = (ROOT / "docs" / "how-to" / "read-the-dead-letters.md").read_text(encoding="utf-8")
    heading = next(line for line in page.splitlines() if line.startswith("    id "))
    source = (ROOT / "exporter" / "letters_command.py").read_text(encoding="utf-8")
    columns = re.findall(r'"([^"]+)"', source[source.index("_COLUMNS = (") :].split(")")[0])
    assert re.split(r"\s{2,}", heading.strip()) == columns
