from __future__ import annotations

from dataclasses import dataclass, field

import feel
from devstack.bpmn import xml
from devstack.bpmn.expression import Expression
from devstack.bpmn.faults import Faults


@dataclass(slots=True)
class Source:
    """One BPMN file being read: what is shared by all its elements, and what is wrong with it."""

    root: xml.Node
    faults: Faults = field(default_factory=Faults)
    call_activities: dict[str, int] = field(default_factory=dict)
    """Place of each call activity of the process being read, by its id."""

    def number_call_activities(self, process: xml.Node) -> None:
        """Begin with a process: its call activities are numbered in document order."""
        nodes = process.iter(xml.BPMN + "callActivity")
        self.call_activities = {node.get("id") or "": n for n, node in enumerate(nodes)}

    def expression(self, node: xml.Node, text: str | None, what: str) -> Expression | None:
        """Compile an attribute or text of `node`; None when it is absent or was noted as wrong."""
        if text is None or not text.strip():
            return None
        try:
            return Expression.parse(text)
        except feel.FeelError as error:
            self.faults.add(
                node, f"{what}: the FEEL expression '{text.strip()}' is broken: {error}"
            )
            return None

    def must_be_feel(self, node: xml.Node, text: str | None, what: str) -> Expression | None:
        """The same for what must be FEEL: fixed text is noted as wrong, as Zeebe does."""
        expression = self.expression(node, text, what)
        if expression is not None and expression.is_static:
            static = expression.text.strip()
            reason = f"{what}: Expected expression but found static value '{static}'. "
            remedy = f"An expression must start with '=' (e.g. '={static}')."
            self.faults.add(node, reason + remedy)
        return expression

    def required(self, node: xml.Node, text: str | None, what: str) -> Expression:
        """The same for what must be there; the absence is noted and answered with empty text."""
        if text is None or not text.strip():
            self.faults.add(node, f"{what} must be present and not empty")
        return self.expression(node, text, what) or Expression.fixed("")

    def attribute(
        self,
        node: xml.Node,
        holder: xml.Node | None,
        name: str,
    ) -> Expression | None:
        """Compile an attribute of one of the extension elements of `node`."""
        if holder is None:
            return None
        return self.expression(node, holder.get(name), f"Attribute '{name}' of {xml.kind(holder)}")

    def error_code(self, node: xml.Node, reference: str | None) -> Expression | None:
        """The code of the `bpmn:error` that an event refers to; None when it refers to none."""
        if not reference:
            return None
        for error in xml.children(self.root, "error"):
            if error.get("id") == reference.split(":")[-1]:
                return self.required(node, error.get("errorCode"), "Attribute 'errorCode' of error")
        self.faults.add(node, f"refers to an error '{reference}' that the file does not define")
        return None
