"""Events: none, timer, error and terminate; every other kind is refused by name."""

from __future__ import annotations

import feel
from devstack.bpmn import model, xml
from devstack.bpmn.expression import Expression
from devstack.bpmn.fields import Fields
from devstack.bpmn.source import Source
from devstack.bpmn.timers import (
    TimerDefinition,
    TimerKind,
    parse_cycle,
    parse_date_time_ms,
    parse_interval,
)

_PARSERS = {
    TimerKind.DURATION: parse_interval,
    TimerKind.DATE: parse_date_time_ms,
    TimerKind.CYCLE: parse_cycle,
}


def definition(node: xml.Node) -> xml.Node | None:
    """The event's definition, such as `timerEventDefinition`; None for a none event."""
    for child in node:
        if xml.is_bpmn(child) and xml.kind(child).endswith("EventDefinition"):
            return child
    return None


def read_start(source: Source, node: xml.Node, fields: Fields) -> model.Element | None:
    """A start event: none, or timer at the top level of a process."""
    event = definition(node)
    if event is None:
        return model.NoneStartEvent(**fields)
    if xml.kind(event) == "timerEventDefinition":
        timer = read_timer(source, node, event, frozenset({TimerKind.DATE, TimerKind.CYCLE}))
        _check_start(source, node, timer)
        return model.TimerStartEvent(**fields, timer=timer)
    _refuse(source, node, event, "a start event", "none or a timer")
    return None


def read_end(source: Source, node: xml.Node, fields: Fields) -> model.Element | None:
    """An end event: none, error or terminate."""
    event = definition(node)
    if event is None:
        return model.NoneEndEvent(**fields)
    if xml.kind(event) == "terminateEventDefinition":
        return model.TerminateEndEvent(**fields)
    if xml.kind(event) == "errorEventDefinition":
        code = source.error_code(node, event.get("errorRef"))
        if not event.get("errorRef"):
            source.faults.add(node, "an error end event must refer to an error (errorRef)")
        return model.ErrorEndEvent(**fields, error_code=code or Expression.fixed(""))
    _refuse(source, node, event, "an end event", "none, error or terminate")
    return None


def read_throw(source: Source, node: xml.Node, fields: Fields) -> model.Element | None:
    """An intermediate throw event: none."""
    event = definition(node)
    if event is None:
        return model.NoneThrowEvent(**fields)
    _refuse(source, node, event, "an intermediate throw event", "none")
    return None


def read_catch(source: Source, node: xml.Node, fields: Fields) -> model.Element | None:
    """An intermediate catch event: timer."""
    event = definition(node)
    if event is None:
        source.faults.add(node, "an intermediate catch event must have an event to wait for")
        return None
    if xml.kind(event) == "timerEventDefinition":
        timer = read_timer(source, node, event, frozenset({TimerKind.DURATION, TimerKind.DATE}))
        return model.TimerCatchEvent(**fields, timer=timer)
    _refuse(source, node, event, "an intermediate catch event", "a timer")
    return None


def read_boundary(source: Source, node: xml.Node, fields: Fields) -> model.Element | None:
    """A boundary event: timer or error."""
    event = definition(node)
    attached_to_id = (node.get("attachedToRef") or "").split(":")[-1]
    interrupting = node.get("cancelActivity", "true") == "true"
    if event is None:
        source.faults.add(node, "a boundary event must have an event to catch")
        return None
    if xml.kind(event) == "timerEventDefinition":
        kinds = {TimerKind.DURATION, TimerKind.DATE}
        timer = read_timer(
            source,
            node,
            event,
            frozenset(kinds if interrupting else kinds | {TimerKind.CYCLE}),
        )
        return model.TimerBoundaryEvent(
            **fields,
            attached_to_id=attached_to_id,
            interrupting=interrupting,
            timer=timer,
        )
    if xml.kind(event) == "errorEventDefinition":
        return _error_boundary(source, node, event, fields, attached_to_id)
    _refuse(source, node, event, "a boundary event", "a timer or an error")
    return None


def _error_boundary(
    source: Source,
    node: xml.Node,
    event: xml.Node,
    fields: Fields,
    attached_to_id: str,
) -> model.Element:
    if node.get("cancelActivity", "true") != "true":
        source.faults.add(node, "an error boundary event always interrupts (cancelActivity)")
    code = source.error_code(node, event.get("errorRef"))
    if code is not None and not code.is_static:
        source.faults.add(node, "the error code that a boundary event catches can be no expression")
    return model.ErrorBoundaryEvent(
        **fields,
        attached_to_id=attached_to_id,
        error_code=code.text if code is not None else None,
    )


def read_timer(
    source: Source,
    node: xml.Node,
    event: xml.Node,
    allowed: frozenset[TimerKind],
) -> TimerDefinition:
    """The timer of an event; one of a kind that the event cannot have is noted as wrong."""
    for kind in TimerKind:
        holder = xml.child(event, kind.value)
        if holder is None:
            continue
        if kind not in allowed:
            wanted = " or ".join(sorted(each.value for each in allowed))
            source.faults.add(node, f"a timer here must be given by {wanted}, not by {kind.value}")
        expression = source.required(node, xml.text(holder), kind.value)
        _check_static(source, node, kind, expression)
        return TimerDefinition(kind, expression)
    source.faults.add(node, "a timer must have one of timeDuration, timeDate and timeCycle")
    return TimerDefinition(TimerKind.DURATION, Expression.fixed("PT0S"))


def _check_static(
    source: Source,
    node: xml.Node,
    kind: TimerKind,
    expression: Expression,
) -> None:
    if expression.is_static and expression.text:
        try:
            _PARSERS[kind](expression.text)
        except ValueError as error:
            source.faults.add(node, f"{kind.value}: {error}")


def _check_start(source: Source, node: xml.Node, timer: TimerDefinition) -> None:
    """A start event sees no variables, so what its FEEL gives is known at deployment."""
    if timer.expression.is_static:
        return
    try:
        _PARSERS[timer.kind](str(timer.expression.evaluate({})))
    except (ValueError, feel.FeelError) as error:
        source.faults.add(node, f"{timer.kind.value} '{timer.expression.text}': {error}")


def _refuse(
    source: Source,
    node: xml.Node,
    event: xml.Node,
    where: str,
    supported: str,
) -> None:
    name = xml.kind(event).removesuffix("EventDefinition")
    source.faults.add(node, f"{where} of kind {name} is not supported; it can be {supported}")
