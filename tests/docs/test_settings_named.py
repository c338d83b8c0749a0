"""Pages name settings that exist."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from connector.settings import ConnectorSettings
from runtime.settings.base import NEVER_REFUSED

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "docs" / "how-to" / name
    for name in (
        "add-a-secret-store.md",
        "debug-a-failing-job.md",
        "give-tasks-their-secrets.md",
        "share-a-cluster-with-the-stock-runtime.md",
    )
]
PAGES.append(ROOT / "docs" / "explanation" / "differences-from-upstream.md")
KNOWN = {name for _, _, variable in ConnectorSettings.fields() for name in variable.names}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_names_settings_that_exist(page):
    """A reader who sets what a page says sets something: ours, or a name of Camunda's runtime."""
    named = set(re.findall(r"\b(?:CONNECTOR|CAMUNDA)_[A-Z_]+\b", page.read_text(encoding="utf-8")))
    unknown = {
        name
        for name in named - KNOWN
        if not any(fnmatchcase(name, pattern) for pattern in NEVER_REFUSED)
    }
    assert unknown == set()
