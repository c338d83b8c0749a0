"""Zeebe's extension elements, shared by the elements that carry them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devstack.bpmn import xml
from devstack.bpmn.expression import Expression
from devstack.bpmn.model import FormReference, VariableMapping
from devstack.bpmn.source import Source

_TARGET = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*(?:\.[a-zA-Z_][a-zA-Z0-9_]*)*")
"""What Zeebe takes for a path; a name that FEEL can hold otherwise, as `a-b` or `é`, is none."""

_RESERVED = frozenset(
    {"null", "true", "false", "function", "if", "then", "else", "for", "between", "instance", "of"},
)
_BINDINGS = frozenset({"latest", "deployment", "versionTag"})
_REFUSED = {
    "executionListeners": "execution listeners are not supported; remove them to run it here",
    "taskListeners": "zeebe:taskListeners belong to user tasks with zeebe:userTask",
    "calledDecision": "decisions (DMN) are not supported; use a job worker (zeebe:taskDefinition)",
    "adHoc": "ad-hoc sub-processes are not supported",
    "linkedResources": "linked resources are not supported",
    "script": "FEEL scripts belong to script tasks",
    "userTask": "zeebe:userTask belongs to user tasks",
    "calledElement": "zeebe:calledElement belongs to call activities",
}


def refuse_unsupported(source: Source, node: xml.Node, allowed: frozenset[str]) -> None:
    """Note every extension that would change what the element does and is not carried out."""
    extensions = xml.child(node, "extensionElements")
    for extension in extensions if extensions is not None else ():
        if str(extension.tag).startswith(xml.ZEEBE):
            name = xml.kind(extension)
            if name not in allowed and name in _REFUSED:
                source.faults.add(node, _REFUSED[name])


def mappings(source: Source, node: xml.Node, tag: str) -> tuple[VariableMapping, ...]:
    """The `input` or `output` mappings of an element, in modelling order."""
    holder = xml.extension(node, "ioMapping")
    if holder is None:
        return ()
    return tuple(_mappings(source, node, holder, tag))


def _mappings(
    source: Source,
    node: xml.Node,
    holder: xml.Node,
    tag: str,
) -> Iterator[VariableMapping]:
    for mapping in holder.iterchildren(xml.ZEEBE + tag):
        target = (mapping.get("target") or "").strip()
        if _TARGET.fullmatch(target) is None or target in _RESERVED:
            reason = (
                f"the target '{target}' of an {tag} mapping is no variable name: letters of "
                "English, digits and _ only, and no word of FEEL"
            )
            source.faults.add(node, reason)
            continue
        what = f"Source of the {tag} mapping of '{target}'"
        # Zeebe lets fixed text in, and only expressions out.
        read = source.expression if tag == "input" else source.must_be_feel
        expression = read(node, mapping.get("source"), what)
        yield VariableMapping(expression or Expression.null(), tuple(target.split(".")))


def headers(source: Source, node: xml.Node) -> dict[str, str]:
    """The task headers of an element; a header without a value is left out, as Zeebe does."""
    holder = xml.extension(node, "taskHeaders")
    found: dict[str, str] = {}
    for header in holder.iterchildren(xml.ZEEBE + "header") if holder is not None else ():
        key = header.get("key")
        if not key:
            source.faults.add(node, "a task header has no key")
        elif header.get("value"):
            found[key] = header.get("value") or ""
    return found


def form(source: Source, node: xml.Node) -> FormReference | None:
    """The form that a user task links to by id."""
    definition = xml.extension(node, "formDefinition")
    form_id = source.attribute(node, definition, "formId")
    if definition is None or form_id is None:
        return None
    return FormReference(form_id, *binding(source, node, definition))


def binding(source: Source, node: xml.Node, holder: xml.Node) -> tuple[str, str]:
    """Which version of a linked form or process is meant: the binding type and the version tag."""
    kind = holder.get("bindingType") or "latest"
    version_tag = (holder.get("versionTag") or "").strip()
    if kind not in _BINDINGS:
        source.faults.add(
            node, f"unknown binding type '{kind}'; use latest, deployment, versionTag"
        )
    elif kind == "versionTag" and not version_tag:
        source.faults.add(node, "binding type versionTag needs the attribute 'versionTag'")
    return kind, version_tag
