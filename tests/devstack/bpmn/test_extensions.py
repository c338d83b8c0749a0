"""Mappings and FEEL in Zeebe's extensions: what may be fixed text, and what a target may be."""

from __future__ import annotations

import pytest

from devstack.bpmn import ModelRefusedError, read_bpmn
from tests.kit import bpmn as b


def _faults(content: bytes) -> dict[str, str]:
    with pytest.raises(ModelRefusedError) as refusal:
        read_bpmn(content)
    return {fault.element_id: fault.reason for fault in refusal.value.faults}


@pytest.mark.parametrize(
    ("piece", "element"),
    [
        (b.service("t", outputs=[("x", "y")]), "t"),
        (b.service("t", inner=b.loop("items")), "t"),
        (b.service("t", inner=b.loop("=items", output=("all", "x"))), "t"),
        (b.script("t", "1 + 1", "r"), "t"),
        (b.node("exclusiveGateway", "t", default="t_e") + b.flow("t", "e", "x &gt; 1", "f"), "f"),
    ],
    ids=["output", "input-collection", "output-element", "script", "condition"],
)
def test_fixed_text_where_feel_belongs_is_refused(piece, element):
    """A forgotten `=` is told at deployment in Zeebe's words, not by an incident later."""
    faults = _faults(b.bpmn(b.start(), piece, b.end("e"), b.flow("start", "t")))
    assert "Expected expression but found static value '" in faults[element]
    assert "An expression must start with '=' (e.g. '=" in faults[element]


def test_an_input_may_be_fixed_text():
    """Into a task Zeebe lets text as it is."""
    [process] = read_bpmn(b.bpmn(b.start(), b.service("t", inputs=[("as it is", "x")])))
    assert process.elements["t"].inputs[0].source.is_static


@pytest.mark.parametrize("target", ["", "a-b", "a..b", "1a", "é", "a.", ".a", "a b", "null", "if"])
def test_a_target_that_is_no_path_is_refused(target):
    """Zeebe takes letters, digits and underscores, and none of FEEL's own words."""
    faults = _faults(b.bpmn(b.start(), b.service("t", inputs=[("=1", target)])))
    assert "is no variable name" in faults["t"]
