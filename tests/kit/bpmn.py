"""BPMN for tests, put together from small pieces of XML.

bpmn(start(), service("charge", type="card"), end(), chain("start", "charge", "end"))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from xml.sax.saxutils import quoteattr

_HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="test">'
)

Mappings = Iterable[tuple[str, str]]
"""Pairs of source and target."""


def bpmn(*pieces: str, id: str = "p", errors: Mapping[str, str] | None = None, more: str = ""):
    """A BPMN file with one executable process; `errors` is id to code, `more` goes beside it."""
    return document(process(*pieces, id=id), errors=errors, more=more)


def document(*processes: str, errors: Mapping[str, str] | None = None, more: str = "") -> bytes:
    """A BPMN file of these processes."""
    declared = "".join(
        f'<bpmn:error id="{key}" errorCode={quoteattr(code)}/>'
        for key, code in (errors or {}).items()
    )
    return f"{_HEAD}{''.join(processes)}{declared}{more}</bpmn:definitions>".encode()


def process(*pieces: str, id: str = "p", name: str = "") -> str:
    """An executable process."""
    return (
        f'<bpmn:process id="{id}" name={quoteattr(name)} isExecutable="true">'
        f"{''.join(pieces)}</bpmn:process>"
    )


def node(tag: str, id: str, inner: str = "", extensions: str = "", **attributes: str) -> str:
    """Any BPMN element; `extensions` goes into its extension elements."""
    given = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    extended = (
        f"<bpmn:extensionElements>{extensions}</bpmn:extensionElements>" if extensions else ""
    )
    return f'<bpmn:{tag} id="{id}"{given}>{extended}{inner}</bpmn:{tag}>'


def start(id: str = "start", inner: str = "") -> str:
    return node("startEvent", id, inner)


def end(id: str = "end", inner: str = "", extensions: str = "") -> str:
    return node("endEvent", id, inner, extensions)


def error(reference: str | None = None) -> str:
    """The definition of an error event."""
    return (
        f'<bpmn:errorEventDefinition errorRef="{reference}"/>'
        if reference
        else ("<bpmn:errorEventDefinition/>")
    )


TERMINATE = "<bpmn:terminateEventDefinition/>"


def timer(kind: str, text: str) -> str:
    """The definition of a timer event; `kind` is timeDuration, timeDate or timeCycle."""
    return (
        f"<bpmn:timerEventDefinition><bpmn:{kind}>{text}</bpmn:{kind}></bpmn:timerEventDefinition>"
    )


def boundary(id: str, attached_to: str, inner: str, *, interrupting: bool = True) -> str:
    return node(
        "boundaryEvent",
        id,
        inner,
        attachedToRef=attached_to,
        cancelActivity=str(interrupting).lower(),
    )


def mappings(inputs: Mappings = (), outputs: Mappings = ()) -> str:
    """A `zeebe:ioMapping`; empty when there is nothing to map."""
    pieces = [
        f"<zeebe:{tag} source={quoteattr(source)} target={quoteattr(target)}/>"
        for tag, pairs in (("input", inputs), ("output", outputs))
        for source, target in pairs
    ]
    return f"<zeebe:ioMapping>{''.join(pieces)}</zeebe:ioMapping>" if pieces else ""


def headers(values: Mapping[str, str]) -> str:
    pieces = "".join(
        f"<zeebe:header key={quoteattr(key)} value={quoteattr(value)}/>"
        for key, value in values.items()
    )
    return f"<zeebe:taskHeaders>{pieces}</zeebe:taskHeaders>" if pieces else ""


def service(
    id: str,
    *,
    type: str = "work",
    retries: str | None = None,
    inputs: Mappings = (),
    outputs: Mappings = (),
    task_headers: Mapping[str, str] | None = None,
    inner: str = "",
    tag: str = "serviceTask",
) -> str:
    """A task with a job type."""
    tries = f" retries={quoteattr(retries)}" if retries is not None else ""
    definition = f"<zeebe:taskDefinition type={quoteattr(type)}{tries}/>"
    extended = definition + mappings(inputs, outputs) + headers(task_headers or {})
    return node(tag, id, inner, extended)


def user(id: str, extensions: str = "", inner: str = "") -> str:
    """A user task that the engine keeps itself."""
    return node("userTask", id, inner, "<zeebe:userTask/>" + extensions)


def script(id: str, expression: str, result: str, extensions: str = "") -> str:
    """A script task with FEEL."""
    piece = f"<zeebe:script expression={quoteattr(expression)} resultVariable={quoteattr(result)}/>"
    return node("scriptTask", id, "", piece + extensions)


def call(id: str, called: str, attributes: str = "", extensions: str = "") -> str:
    piece = f"<zeebe:calledElement processId={quoteattr(called)} {attributes}/>"
    return node("callActivity", id, "", piece + extensions)


def sub_process(id: str, *pieces: str, extensions: str = "") -> str:
    return node("subProcess", id, "".join(pieces), extensions)


def loop(
    items: str,
    *,
    element: str = "item",
    output: tuple[str, str] | None = None,
    sequential: bool = False,
    until: str = "",
) -> str:
    """Multi-instance characteristics; `output` is collection and element."""
    collected = (
        f" outputCollection={quoteattr(output[0])} outputElement={quoteattr(output[1])}"
        if output
        else ""
    )
    condition = f"<bpmn:completionCondition>{until}</bpmn:completionCondition>" if until else ""
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">'
        "<bpmn:extensionElements><zeebe:loopCharacteristics "
        f"inputCollection={quoteattr(items)} inputElement={quoteattr(element)}{collected}/>"
        f"</bpmn:extensionElements>{condition}</bpmn:multiInstanceLoopCharacteristics>"
    )


def flow(source: str, target: str, condition: str | None = None, id: str | None = None) -> str:
    """A sequence flow; its id is `source_target` when none is given."""
    inner = (
        f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{condition}'
        "</bpmn:conditionExpression>"
        if condition
        else ""
    )
    return node(
        "sequenceFlow", id or f"{source}_{target}", inner, sourceRef=source, targetRef=target
    )


def chain(*ids: str) -> str:
    """Flows from each element to the next."""
    return "".join(flow(source, target) for source, target in pairwise(ids))
