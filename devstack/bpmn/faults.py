from __future__ import annotations

from dataclasses import dataclass, field

from devstack.bpmn import xml


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a model, at one element."""

    element_id: str
    name: str
    reason: str


class ModelRefusedError(Exception):
    """A BPMN file that cannot be run; `str()` lists every fault with its element."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(_line(fault) for fault in faults))
        self.faults = faults


@dataclass(slots=True)
class Faults:
    """Collects what is wrong, so that a modeller sees all of it at once."""

    found: list[Fault] = field(default_factory=list)

    def add(self, node: xml.Node, reason: str) -> None:
        """Note that `node` cannot be run because of `reason`."""
        element_id = node.get("id") or xml.kind(node)
        self.found.append(Fault(element_id, node.get("name") or "", reason))

    def raise_if_any(self) -> None:
        """Refuse the model when anything was found.

        Raises:
            ModelRefusedError: It was.
        """
        if self.found:
            raise ModelRefusedError(tuple(self.found))


def _line(fault: Fault) -> str:
    name = f" ({' '.join(fault.name.split())})" if fault.name else ""
    return f"- Element: {fault.element_id}{name}\n    - ERROR: {fault.reason}"
