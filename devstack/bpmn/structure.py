"""Faults that only the whole process shows."""

from __future__ import annotations

from devstack.bpmn import model, xml
from devstack.bpmn.loops import loop_without_wait
from devstack.bpmn.source import Source


def check(source: Source, processes: tuple[model.Process, ...]) -> None:
    """Note what is wrong between the elements of each process."""
    nodes = {process.id: _nodes(source, process) for process in processes}
    for process in processes:
        for element in process.elements.values():
            _check_element(source, process, element, nodes[process.id])
    if source.faults.found:
        return
    for process in processes:
        loop = loop_without_wait(process, {each.id: each for each in processes})
        if loop:
            # Zeebe refuses these too: an instance in one would run for ever and never wait.
            reason = (
                "Processes are not allowed to contain a straight-through processing loop: "
                f"{' > '.join(loop)}. Put in an element that waits, or it never ends."
            )
            source.faults.add(nodes[process.id][process.id], reason)


def _nodes(source: Source, process: model.Process) -> dict[str, xml.Node]:
    """The process's elements by id."""
    root = next(
        each for each in xml.children(source.root, "process") if each.get("id") == process.id
    )
    return {
        element_id: node for node in root.iter(f"{xml.BPMN}*") if (element_id := node.get("id"))
    }


def _check_element(
    source: Source,
    process: model.Process,
    element: model.Element,
    nodes: dict[str, xml.Node],
) -> None:
    node = nodes[element.id]
    for flow in element.outgoing:
        if flow.condition is not None and not isinstance(element, model.ExclusiveGateway):
            reason = "only flows that leave an exclusive gateway can have a condition"
            source.faults.add(nodes[flow.id], reason)
        target = process.elements.get(flow.target_id)
        if target is None or target.scope_id != element.scope_id:
            reason = f"leads to '{flow.target_id}', which is no element of the same scope"
            source.faults.add(nodes[flow.id], reason)
    if isinstance(element, model.ExclusiveGateway) and not _has_its_default(element):
        source.faults.add(node, f"its default flow '{element.default_id}' does not leave it")
    if element.type == "END_EVENT" and element.outgoing:
        source.faults.add(node, "an end event can have no outgoing sequence flow")
    if element.type in {"START_EVENT", "BOUNDARY_EVENT"} and element.incoming:
        source.faults.add(node, f"a {xml.kind(node)} can have no incoming sequence flow")
    if isinstance(element, model.TimerBoundaryEvent | model.ErrorBoundaryEvent):
        _check_boundary(source, process, element, node)


def _has_its_default(gateway: model.ExclusiveGateway) -> bool:
    return gateway.default_id in {None, *(flow.id for flow in gateway.outgoing)}


def _check_boundary(
    source: Source,
    process: model.Process,
    event: model.BoundaryEvent,
    node: xml.Node,
) -> None:
    host = process.elements.get(event.attached_to_id)
    if not isinstance(host, model.Activity | model.MultiInstanceBody):
        source.faults.add(node, "a boundary event must be attached to a task or sub-process")
        return
    others = [process.elements[each] for each in host.boundary_ids if each != event.id]
    codes = [each.error_code for each in others if isinstance(each, model.ErrorBoundaryEvent)]
    if isinstance(event, model.ErrorBoundaryEvent) and event.error_code in codes:
        code = f"the error code '{event.error_code}'" if event.error_code else "every error"
        source.faults.add(node, f"another boundary event of '{host.id}' catches {code} as well")
