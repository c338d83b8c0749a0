from __future__ import annotations

from typing import TypedDict

from devstack.bpmn.model import SequenceFlow, VariableMapping


class Fields(TypedDict):
    """What every element is built with, read before its own kind is looked at."""

    id: str
    name: str
    scope_id: str
    incoming: tuple[str, ...]
    outgoing: tuple[SequenceFlow, ...]
    inputs: tuple[VariableMapping, ...]
    outputs: tuple[VariableMapping, ...]
    boundary_ids: tuple[str, ...]
