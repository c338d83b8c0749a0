"""The pages about sources name every parameter of their URLs, with the defaults of the code."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from exporter.sources.elasticsearch import address as elasticsearch
from exporter.sources.listener import address as listener
from exporter.sources.listener.job import INTENTS
from tests.kit.cluster import Cluster
from tests.kit.user_task import APPROVAL

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("read-from-elasticsearch.md", elasticsearch),
        ("get-events-through-task-listeners.md", listener),
    ],
    ids=["elasticsearch", "listener"],
)
def test_parameters_are_those_of_the_code(page, address):
    """Each parameter has a row with its default, in milliseconds where the name says so."""
    text = (HOW_TO / page).read_text(encoding="utf-8")
    section = text.split("## What may stand in the URL")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `([\w-]+)` \| `?([^`|]+?)`? \|", section, re.MULTILINE))
    defaults = {field.name: field.default for field in fields(address.Address)}
    expected = {}
    for name, (field, _) in address._PARAMETERS.items():
        default = defaults[field]
        if default is MISSING:
            expected[name] = "required"
        elif default == ():
            expected[name] = "none"
        else:
            expected[name] = str(round(default * 1000) if name.endswith("-ms") else default)
    assert rows == expected


def test_every_event_of_a_listener_is_explained():
    """The table of what a listener is told of has each event, and what becomes of it."""
    text = (HOW_TO / "get-events-through-task-listeners.md").read_text(encoding="utf-8")
    for told, intent in INTENTS.items():
        row = re.search(rf"^\| `{told.lower()}` \| (.+?) \|", text, re.MULTILINE)
        assert row[1].startswith("none" if intent == "UPDATED" else f"`{intent}`")


def test_the_listeners_of_the_page_can_be_deployed(clock):
    """The model's part of the page is read by the engine, and makes the job that it says."""
    text = (HOW_TO / "get-events-through-task-listeners.md").read_text(encoding="utf-8")
    snippet = re.search(r"```xml\n(.*?)```", text, re.DOTALL)[1]
    process = APPROVAL.replace("<zeebe:userTask />", f"<zeebe:userTask />{snippet}")
    cluster = Cluster(clock)
    cluster.deploy(process.encode())
    cluster.start("approval")
    assert cluster.complete("app-integrations") == 1
    assert cluster.intents("USER_TASK") == ["CREATING", "CREATED"]
