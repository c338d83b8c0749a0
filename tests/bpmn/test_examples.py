"""The example diagrams, held against the tools that Modeler is made of."""

from __future__ import annotations

import json

import pytest
from lxml import etree

from tests.kit.modeler import EXAMPLES, ROOT, TEMPLATE, chromium, run_node

FORM = ROOT / "bpmn" / "examples" / "stuck-instances.form"
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("version", ["8-3", "8-5", "8-6", "8-8", "8-9"])
def test_examples_lint_clean(version):
    """Modeler's linter finds nothing; Camunda's own user tasks are there from 8.5 on."""
    fitting = [each for each in EXAMPLES if version != "8-3" or each.stem != "stuck-instances"]
    reports = run_node("lint.mjs", version, *fitting)
    assert reports == {str(each): [] for each in fitting}


def test_linter_reports_what_a_version_does_not_have():
    """The linter is really at work: a user task of 8.5 is an error on 8.3."""
    (report,) = run_node("lint.mjs", "8-3", FORM.with_suffix(".bpmn")).values()
    assert "camunda-compat/no-zeebe-user-task" in [found["rule"] for found in report]


def test_tasks_carry_what_the_template_writes():
    """Applying the template with a task's own values gives that task's bindings, in their order."""
    reports = run_node("apply.mjs", TEMPLATE, *EXAMPLES)
    tasks = {id_: pair for report in reports.values() for id_, pair in report.items()}
    assert {id_: json.dumps(pair["carried"]) for id_, pair in tasks.items()} == {
        id_: json.dumps(pair["written"]) for id_, pair in tasks.items()
    }
    assert {task["carried"]["inputs"]["request.endpoint"] for task in tasks.values()} == {
        "processInstances",
        "processDefinitions",
        "variables",
        "incidents",
    }


def test_each_operation_of_the_template_is_in_an_example():
    """Whatever a user can choose, one of the diagrams shows how it is used."""
    offered = {
        choice["value"]
        for each in json.loads(TEMPLATE.read_text())["properties"]
        if each["binding"].get("name") == "request.operation"
        for choice in each["choices"]
    }
    used = {
        each.get("source")
        for example in EXAMPLES
        for each in etree.parse(example).iterfind(f".//{ZEEBE}input[@target='request.operation']")
    }
    assert used == offered


def test_examples_come_back_from_modeler_unchanged():
    """Opening and saving a diagram as Modeler does warns of nothing and changes no byte."""
    reports = run_node("round_trip.mjs", *EXAMPLES)
    assert reports == {
        str(each): {"warnings": [], "xml": each.read_text(encoding="utf-8")} for each in EXAMPLES
    }


def test_examples_look_right(tmp_path):
    """Drawn in a browser, no shape, label or line of a diagram lies on another."""
    reports = run_node("draw.mjs", chromium(), tmp_path, *EXAMPLES)
    assert reports == {str(each): {"warnings": [], "collisions": []} for each in EXAMPLES}
    assert {picture.stem for picture in tmp_path.iterdir()} == {each.stem for each in EXAMPLES}


def test_drawing_reports_what_lies_on_each_other(tmp_path):
    """A gateway's label that was moved onto the line before it is found."""
    example = next(each for each in EXAMPLES if each.stem == "wait-for-process")
    document = etree.parse(example)
    (label,) = document.xpath(
        "//bpmndi:BPMNShape[@bpmnElement='Gateway_State']/bpmndi:BPMNLabel/dc:Bounds",
        namespaces={
            "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
            "dc": "http://www.omg.org/spec/DD/20100524/DC",
        },
    )
    label.set("y", "213")
    moved = tmp_path / "moved.bpmn"
    document.write(moved, xml_declaration=True, encoding="UTF-8")
    (report,) = run_node("draw.mjs", chromium(), tmp_path, moved).values()
    assert "Flow_AskForState_State crosses Gateway_State_label" in report["collisions"]


def test_form_shows_the_stuck_instances(tmp_path):
    """The user task's form shows what its input mapping gives it, and takes a remark."""
    (mapping,) = etree.parse(FORM.with_suffix(".bpmn")).iterfind(
        f".//{BPMN}userTask//{ZEEBE}input",
    )
    table = next(c for c in json.loads(FORM.read_text())["components"] if c["type"] == "table")
    assert mapping.get("target") == table["dataSource"].removeprefix("=")
    stuck = {"process": "order", "instance": "9007199254740993", "since": "2026-11-24T09:00:00Z"}
    shown = run_node(
        "fill_form.mjs",
        chromium(),
        tmp_path / "form.png",
        FORM,
        json.dumps({mapping.get("target"): [stuck]}),
    )
    assert shown["warnings"] == []
    assert all(text in shown["text"] for text in stuck.values())
    assert shown["fields"] == ["remark"]
