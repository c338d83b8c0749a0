"""BPMN's XML: parsing that cannot be turned against the server, and short ways to look into it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from lxml import etree

Node: TypeAlias = etree._Element  # noqa: SLF001 - lxml has no other name for it

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"


class XmlRefusedError(Exception):
    """Bytes that are no XML, or XML that is not safe to read."""


def parse(content: bytes) -> Node:
    """Read XML with entities, document types and the network off.

    Raises:
        XmlRefusedError: It is broken, or it declares a document type (which BPMN never does and
            entity bombs need).
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmlRefusedError(f"the file is not well-formed XML: {error}") from error
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr] # missing in its stubs
        raise XmlRefusedError("the file declares a document type; BPMN files have none, remove it")
    return root


def kind(node: Node) -> str:
    """The element's name without its namespace, such as `serviceTask`."""
    return etree.QName(node).localname


def is_bpmn(node: Node) -> bool:
    """Whether the element is BPMN's own, not an extension or a diagram."""
    return str(node.tag).startswith(BPMN)


def child(node: Node, tag: str) -> Node | None:
    """The first BPMN child of this name."""
    return node.find(BPMN + tag)


def children(node: Node, tag: str) -> Iterator[Node]:
    """Every BPMN child of this name."""
    return node.iterchildren(BPMN + tag)


def text(node: Node | None) -> str:
    """The element's text without the blanks around it; empty when there is none."""
    return (node.text or "").strip() if node is not None else ""


def extension(node: Node, tag: str) -> Node | None:
    """The Zeebe extension element of this name."""
    extensions = child(node, "extensionElements")
    return None if extensions is None else extensions.find(ZEEBE + tag)
