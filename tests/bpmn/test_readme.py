from __future__ import annotations

import pytest

from tests.kit.modeler import EXAMPLES, ROOT

README = (ROOT / "bpmn" / "README.md").read_text()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_each_example_has_its_section(example):
    """A reader finds every diagram in a heading of the page, and its variables under it."""
    (section,) = (part for part in README.split("\n### ") if f"`{example.name}`" in part[:80])
    variables = {
        "stuck-instances": "processId",
        "wait-for-process": "orderInstanceKey",
        "trace-instance": "orderInstanceKey",
        "clean-up": "keepFor",
    }
    assert variables.get(example.stem, "") in section
