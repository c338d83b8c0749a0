"""The reference page of devstack names everything that the code has, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from devstack.__main__ import _parser
from devstack.faults import AnyFault, Fault
from devstack.operate.seeds import read_seeds

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "devstack.md").read_text("utf-8")


def options_of_run():
    commands = next(action for action in _parser()._actions if action.choices)
    run = commands.choices["run"]
    return {option for action in run._actions for option in action.option_strings}


def test_every_option_of_run_is_described():
    """The table of options is complete."""
    described = set(re.findall(r"^\| `(--[\w-]+)` \|", PAGE, re.MULTILINE))
    assert described == options_of_run() - {"-h", "--help"}


@pytest.mark.parametrize("kind", get_args(AnyFault), ids=lambda kind: kind.__name__)
def test_every_fault_is_described(kind):
    """Each kind stands in the table with the fields that are its own."""
    tag = kind.__struct_config__.tag
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{tag}` |"))
    common = {field.name for field in msgspec.structs.fields(Fault)}
    own = {field.name for field in msgspec.structs.fields(kind)} - common
    assert set(re.findall(r"`(\w+)`", row.split("|")[3])) == own
    assert all(f"`{name}`" in PAGE for name in common)


def test_the_seed_file_of_the_page_is_one():
    """What the page shows is taken."""
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert len(read_seeds(json.loads(shown))) == 3


def test_the_fault_of_the_page_is_one():
    """What the page posts is taken."""
    body = re.search(r"curl -d '(.*?)'", PAGE)
    assert isinstance(msgspec.json.decode(body[1], type=AnyFault), Fault)
