"""Reads a BPMN file into processes, or tells everything that keeps it from running here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

from devstack.bpmn import activities, events, extensions, model, structure, xml
from devstack.bpmn.faults import Fault, ModelRefusedError
from devstack.bpmn.fields import Fields
from devstack.bpmn.outline import Outline
from devstack.bpmn.source import Source

ElementReader = Callable[[Source, xml.Node, Fields], model.Element | None]

_NOT_EXECUTED = frozenset(
    {
        "association",
        "category",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "documentation",
        "extensionElements",
        "group",
        "incoming",
        "ioSpecification",
        "laneSet",
        "multiInstanceLoopCharacteristics",
        "outgoing",
        "sequenceFlow",
        "standardLoopCharacteristics",
        "textAnnotation",
    },
)
_EXTENSIONS = {
    "callActivity": frozenset({"calledElement"}),
    "scriptTask": frozenset({"script"}),
    "userTask": frozenset({"userTask", "taskListeners"}),
}


def read_bpmn(content: bytes) -> tuple[model.Process, ...]:
    """Read every executable process of a BPMN file.

    Raises:
        ModelRefusedError: The file is no BPMN, has no executable process, or holds something that
            cannot be run; every fault is named with its element.
    """
    try:
        root = xml.parse(content)
    except xml.XmlRefusedError as error:
        raise _refusal(str(error)) from error
    if root.tag != xml.BPMN + "definitions":
        raise _refusal(
            f"the file is no BPMN 2.0: its root is '{xml.kind(root)}', not 'definitions'"
        )
    source = Source(root)
    nodes = [node for node in xml.children(root, "process") if node.get("isExecutable") == "true"]
    if not nodes:
        raise _refusal("must contain at least one executable process (isExecutable)")
    _check_process_ids(source, nodes)
    for node in nodes:
        _check_element_ids(source, node)
    source.faults.raise_if_any()
    processes = tuple(_read_process(source, node) for node in nodes)
    source.faults.raise_if_any()
    structure.check(source, processes)
    source.faults.raise_if_any()
    return processes


def _refusal(reason: str) -> ModelRefusedError:
    return ModelRefusedError((Fault("definitions", "", reason),))


def _check_process_ids(source: Source, nodes: list[xml.Node]) -> None:
    seen: set[str] = set()
    for node in nodes:
        process_id = node.get("id") or ""
        if not process_id:
            source.faults.add(node, "a process must have an id")
        elif process_id in seen:
            source.faults.add(node, "another process of the file has the same id")
        seen.add(process_id)


def _check_element_ids(source: Source, process: xml.Node) -> None:
    """Before anything else: with two of the same id one element would hide the other."""
    seen: set[str] = set()
    for node in process.iter(f"{xml.BPMN}*"):
        element_id = node.get("id")
        if element_id in seen:
            source.faults.add(node, "another element of the process has the same id")
        elif element_id:
            seen.add(element_id)


def _read_process(source: Source, node: xml.Node) -> model.Process:
    process_id = node.get("id") or ""
    extensions.refuse_unsupported(source, node, frozenset())
    source.number_call_activities(node)
    elements = dict(_read_scope(source, node))
    none_starts, timer_starts = [], []
    for element in elements.values():
        if element.scope_id == process_id and isinstance(element, model.NoneStartEvent):
            none_starts.append(element.id)
        elif isinstance(element, model.TimerStartEvent):
            timer_starts.append(element.id)
    if not none_starts and not timer_starts:
        source.faults.add(node, "must have at least one start event")
    if len(none_starts) > 1:
        source.faults.add(node, "can have only one none start event")
    tag = xml.extension(node, "versionTag")
    return model.Process(
        id=process_id,
        name=node.get("name") or "",
        version_tag=(tag.get("value") or "") if tag is not None else "",
        elements=elements,
        none_start_id=none_starts[0] if none_starts else None,
        timer_start_ids=tuple(timer_starts),
    )


def _read_scope(source: Source, scope: xml.Node) -> Iterator[tuple[str, model.Element]]:
    """Every element of a process or sub-process, those of inner sub-processes included."""
    outline = Outline.of(scope)
    for node in scope:
        if not xml.is_bpmn(node) or xml.kind(node) in _NOT_EXECUTED:
            continue
        element = _read_element(source, outline, node)
        if element is not None:
            yield element.id, element
        if xml.kind(node) == "subProcess":
            yield from _read_scope(source, node)


def _read_element(
    source: Source,
    outline: Outline,
    node: xml.Node,
) -> model.Element | None:
    kind = xml.kind(node)
    reader = _READERS.get(kind)
    if reader is None:
        supported = ", ".join(sorted(_READERS))
        reason = f"elements of type {kind} are not supported; supported are {supported}"
        source.faults.add(node, reason)
        return None
    if not node.get("id"):
        source.faults.add(node, f"an element of type {kind} must have an id")
        return None
    extensions.refuse_unsupported(source, node, _EXTENSIONS.get(kind, frozenset()))
    element = reader(source, node, _read_fields(source, outline, node))
    loop = activities.read_loop(source, node)
    if element is None or loop is None:
        return element
    return _wrap(cast("model.Activity", element), loop)


def _wrap(inner: model.Activity, loop: model.Loop) -> model.MultiInstanceBody:
    """The body takes the flows and boundary events; the activity inside keeps its mappings."""
    return model.MultiInstanceBody(
        id=inner.id,
        name=inner.name,
        scope_id=inner.scope_id,
        incoming=inner.incoming,
        outgoing=inner.outgoing,
        boundary_ids=inner.boundary_ids,
        inner=replace(inner, incoming=(), outgoing=(), boundary_ids=()),
        loop=loop,
    )


def _read_fields(source: Source, outline: Outline, node: xml.Node) -> Fields:
    element_id = node.get("id") or ""
    return Fields(
        id=element_id,
        name=node.get("name") or "",
        scope_id=outline.scope_id,
        incoming=tuple(flow.get("id") or "" for flow in outline.incoming.get(element_id, ())),
        outgoing=tuple(_flow(source, flow) for flow in outline.outgoing.get(element_id, ())),
        inputs=extensions.mappings(source, node, "input"),
        outputs=extensions.mappings(source, node, "output"),
        boundary_ids=tuple(
            event.get("id") or "" for event in outline.boundaries.get(element_id, ())
        ),
    )


def _flow(source: Source, node: xml.Node) -> model.SequenceFlow:
    condition = xml.text(xml.child(node, "conditionExpression"))
    return model.SequenceFlow(
        id=node.get("id") or "",
        source_id=node.get("sourceRef") or "",
        target_id=node.get("targetRef") or "",
        condition=source.must_be_feel(node, condition, "conditionExpression"),
    )


def _read_exclusive(source: Source, node: xml.Node, fields: Fields) -> model.Element:
    default_id = node.get("default")
    for flow in fields["outgoing"]:
        if len(fields["outgoing"]) > 1 and flow.condition is None and flow.id != default_id:
            reason = f"its flow '{flow.id}' must have a condition or be the default flow"
            source.faults.add(node, reason)
    return model.ExclusiveGateway(**fields, default_id=default_id)


def _read_parallel(_source: Source, _node: xml.Node, fields: Fields) -> model.Element:
    return model.ParallelGateway(**fields)


def _read_sub_process(source: Source, node: xml.Node, fields: Fields) -> model.Element:
    if node.get("triggeredByEvent") == "true":
        source.faults.add(node, "event sub-processes are not supported; use a boundary event")
    starts = list(xml.children(node, "startEvent"))
    if len(starts) != 1 or events.definition(starts[0]) is not None:
        source.faults.add(node, "a sub-process must have exactly one start event, of kind none")
        return model.PassTask(**fields)
    return model.SubProcess(**fields, start_id=starts[0].get("id") or "")


_READERS: dict[str, ElementReader] = {
    "boundaryEvent": events.read_boundary,
    "businessRuleTask": activities.read_job_task,
    "callActivity": activities.read_call_activity,
    "endEvent": events.read_end,
    "exclusiveGateway": _read_exclusive,
    "intermediateCatchEvent": events.read_catch,
    "intermediateThrowEvent": events.read_throw,
    "manualTask": activities.read_task,
    "parallelGateway": _read_parallel,
    "scriptTask": activities.read_script_task,
    "sendTask": activities.read_job_task,
    "serviceTask": activities.read_job_task,
    "startEvent": events.read_start,
    "subProcess": _read_sub_process,
    "task": activities.read_task,
    "userTask": activities.read_user_task,
}
