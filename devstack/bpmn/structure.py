"""Faults that only the whole process shows: arrows to nowhere, loops without a wait."""

from __future__ import annotations

from collections.abc import Iterator

from devstack.bpmn import model, xml
from devstack.bpmn.source import Source

_PASSING = (
    model.PassTask,
    model.ScriptTask,
    model.NoneThrowEvent,
    model.NoneStartEvent,
    model.NoneEndEvent,
    model.ExclusiveGateway,
    model.ParallelGateway,
    model.SubProcess,
    model.CallActivity,
    model.MultiInstanceBody,
)
_WORKING = (model.PassTask, model.ScriptTask, model.NoneThrowEvent, model.CallActivity)


def check(source: Source, processes: tuple[model.Process, ...]) -> None:
    """Note what is wrong between the elements of each process."""
    for process in processes:
        _check_ids(source, process)
        for element in process.elements.values():
            _check_element(source, process, element)
    if source.faults.found:
        return
    for process in processes:
        loop = _loop_without_wait(process, {each.id: each for each in processes})
        if loop:
            # Zeebe refuses these too: an instance in one would run for ever and never wait.
            chain = " > ".join(loop)
            reason = f"the loop {chain} has no element that waits; it would never end"
            source.faults.add(_node(source, process.id), reason)


def _node(source: Source, element_id: str) -> xml.Node:
    return next(n for n in source.root.iter(f"{xml.BPMN}*") if n.get("id") == element_id)


def _check_ids(source: Source, process: model.Process) -> None:
    seen: set[str] = set()
    for node in _node(source, process.id).iter(f"{xml.BPMN}*"):
        element_id = node.get("id")
        if element_id in seen:
            source.faults.add(node, "another element of the process has the same id")
        if element_id:
            seen.add(element_id)


def _check_element(source: Source, process: model.Process, element: model.Element) -> None:
    node = _node(source, element.id)
    for flow in element.outgoing:
        if flow.condition is not None and not isinstance(element, model.ExclusiveGateway):
            reason = "only flows that leave an exclusive gateway can have a condition"
            source.faults.add(_node(source, flow.id), reason)
        target = process.elements.get(flow.target_id)
        if target is None or target.scope_id != element.scope_id:
            reason = f"leads to '{flow.target_id}', which is no element of the same scope"
            source.faults.add(_node(source, flow.id), reason)
    if isinstance(element, model.ExclusiveGateway) and not _has_its_default(element):
        source.faults.add(node, f"its default flow '{element.default_id}' does not leave it")
    if element.type == "END_EVENT" and element.outgoing:
        source.faults.add(node, "an end event can have no outgoing sequence flow")
    if element.type in {"START_EVENT", "BOUNDARY_EVENT"} and element.incoming:
        source.faults.add(node, f"a {xml.kind(node)} can have no incoming sequence flow")
    if isinstance(element, model.TimerBoundaryEvent | model.ErrorBoundaryEvent):
        _check_boundary(source, process, element)


def _has_its_default(gateway: model.ExclusiveGateway) -> bool:
    return gateway.default_id in {None, *(flow.id for flow in gateway.outgoing)}


def _check_boundary(source: Source, process: model.Process, event: model.BoundaryEvent) -> None:
    node = _node(source, event.id)
    host = process.elements.get(event.attached_to_id)
    if not isinstance(host, model.Activity | model.MultiInstanceBody):
        source.faults.add(node, "a boundary event must be attached to a task or sub-process")
        return
    others = [process.elements[each] for each in host.boundary_ids if each != event.id]
    codes = [each.error_code for each in others if isinstance(each, model.ErrorBoundaryEvent)]
    if isinstance(event, model.ErrorBoundaryEvent) and event.error_code in codes:
        code = f"the error code '{event.error_code}'" if event.error_code else "every error"
        source.faults.add(node, f"another boundary event of '{host.id}' catches {code} as well")


def _loop_without_wait(
    process: model.Process,
    processes: dict[str, model.Process],
) -> list[str]:
    """Ids along the first loop made only of passing elements, one of them at least working."""
    for start in process.elements.values():
        if isinstance(_inner(start), _WORKING):
            loop = _search(start, process, processes)
            if loop:
                return loop
    return []


def _search(
    start: model.Element,
    process: model.Process,
    processes: dict[str, model.Process],
) -> list[str]:
    """A way from `start` back to it, by depth-first search without recursion."""
    trail: list[tuple[str, Iterator[tuple[model.Process, model.Element]]]]
    trail = [(start.id, _next(start, process, processes))]
    seen = {(process.id, start.id)}
    while trail:
        found = next(trail[-1][1], None)
        if found is None:
            trail.pop()
            continue
        where, element = found
        if (where.id, element.id) == (process.id, start.id):
            return [each for each, _ in trail] + [start.id]
        if (where.id, element.id) not in seen and isinstance(element, _PASSING):
            seen.add((where.id, element.id))
            trail.append((element.id, _next(element, where, processes)))
    return []


def _next(
    element: model.Element,
    process: model.Process,
    processes: dict[str, model.Process],
) -> Iterator[tuple[model.Process, model.Element]]:
    """Where a token goes on from a passing element without waiting."""
    activity = _inner(element)
    if isinstance(activity, model.SubProcess):
        yield process, process.elements[activity.start_id]
        return
    if isinstance(activity, model.CallActivity):
        called = processes.get(activity.called_process_id.text)
        if activity.called_process_id.is_static and called and called.none_start_id:
            yield called, called.elements[called.none_start_id]
        return
    if element is not activity and not isinstance(activity, _PASSING):
        return
    holder: model.Element | None = element
    while holder is not None and not holder.outgoing:
        holder = process.elements.get(holder.scope_id)
    for flow in holder.outgoing if holder is not None else ():
        yield process, process.elements[flow.target_id]


def _inner(element: model.Element) -> model.Element:
    return element.inner if isinstance(element, model.MultiInstanceBody) else element
