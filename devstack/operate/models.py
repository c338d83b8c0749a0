"""Names that Operate shows and a record does not carry: they stand in the deployed BPMN."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"


@dataclass(frozen=True, slots=True)
class ProcessModel:
    """What a reader sees of one process.

    Attributes:
        name: the process's name, None when it has none.
        names: the names of its elements by their ids, only of those that have one.
    """

    name: str | None = None
    names: dict[str, str] = field(default_factory=dict)


def read_model(xml: bytes, process_id: str) -> ProcessModel:
    """The names in one process of a BPMN file; no names when the file is not readable.

    The engine refuses what is no BPMN before a record is written, so that only a seed's or a
    test's XML can be unreadable here, and Operate shows such a definition without names too.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError:
        return ProcessModel()
    for process in root.iter(f"{BPMN}process"):
        if process.get("id") == process_id:
            names = {
                str(element.get("id")): str(element.get("name"))
                for element in process.iter(f"{BPMN}*")
                if element.get("id") and element.get("name")
            }
            return ProcessModel(process.get("name") or None, names)
    return ProcessModel()
