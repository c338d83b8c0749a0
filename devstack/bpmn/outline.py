from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devstack.bpmn import xml


@dataclass(frozen=True, slots=True)
class Outline:
    """What is connected with what in one process or sub-process, by element id."""

    scope_id: str
    incoming: Mapping[str, Sequence[xml.Node]]
    outgoing: Mapping[str, Sequence[xml.Node]]
    boundaries: Mapping[str, Sequence[xml.Node]]

    @classmethod
    def of(cls, scope: xml.Node) -> Outline:
        """Look through the scope once, however many elements it has."""
        incoming, outgoing, boundaries = defaultdict(list), defaultdict(list), defaultdict(list)
        for flow in xml.children(scope, "sequenceFlow"):
            incoming[flow.get("targetRef") or ""].append(flow)
            outgoing[flow.get("sourceRef") or ""].append(flow)
        for event in xml.children(scope, "boundaryEvent"):
            boundaries[event.get("attachedToRef") or ""].append(event)
        return cls(scope.get("id") or "", incoming, outgoing, boundaries)
