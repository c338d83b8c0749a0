"""The page about devstack's engine names what the code has, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from pyzeebe.proto import gateway_pb2

from devstack.bpmn.reader import _READERS
from devstack.engine.failure import ErrorType
from devstack.gateway.unsupported import UnsupportedCalls

_PAGE = (Path(__file__).parents[2] / "docs/reference/devstack-engine.md").read_text()


def _table(heading: str) -> list[tuple[set[str], str]]:
    """The rows of the table under a heading: the names in the first cell, and the second cell."""
    section = _PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [(set(re.findall(r"`(\w+)`", cells[0])), cells[1].strip()) for cells in rows]


def test_elements_are_those_of_the_reader():
    """The table of elements is the reader's."""
    named = {name for names, _ in _table("BPMN elements") for name in names}
    assert named == set(_READERS)


def test_calls_are_those_of_the_gateway():
    """The table of calls has every call of the protocol, and says which are not there."""
    rows = _table("The gateway's calls")
    methods = {each.name for each in gateway_pb2.DESCRIPTOR.services_by_name["Gateway"].methods}
    assert {name for names, _ in rows for name in names} == methods
    missing = {name for names, remark in rows if remark == "UNIMPLEMENTED" for name in names}
    assert missing == {name for name in vars(UnsupportedCalls) if name in methods}


def test_incidents_are_those_of_the_engine():
    """The table of incidents has every type that the engine knows."""
    assert {name for names, _ in _table("Incidents") for name in names} == set(
        ErrorType.__members__
    )
