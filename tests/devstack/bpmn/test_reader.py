"""Reading BPMN: what runs, and what is refused in words that a modeller understands."""

from __future__ import annotations

import time

import pytest

from devstack.bpmn import ModelRefusedError, model, read_bpmn
from devstack.bpmn.timers import TimerKind
from tests.kit import bpmn as b


def _faults(content: bytes) -> dict[str, str]:
    with pytest.raises(ModelRefusedError) as refusal:
        read_bpmn(content)
    return {fault.element_id: fault.reason for fault in refusal.value.faults}


def test_elements_become_their_types():
    """Each kind of element is read into its own type, with flows and Zeebe's extensions."""
    [process] = read_bpmn(
        b.bpmn(
            b.start(),
            b.service("t", type="=x", retries="5", inputs=[("=a", "b.c")], task_headers={"k": "v"}),
            b.boundary("late", "t", b.timer("timeDuration", "PT5S"), interrupting=False),
            b.end(),
            b.chain("start", "t", "end"),
        ),
    )
    task = process.elements["t"]
    assert isinstance(task, model.JobTask)
    assert task.job_type.text == "x"
    assert not task.job_type.is_static
    assert task.retries.text == "5"
    assert task.headers == {"k": "v"}
    assert task.inputs[0].target == ("b", "c")
    assert task.incoming == ("start_t",)
    assert [flow.target_id for flow in task.outgoing] == ["end"]
    assert task.boundary_ids == ("late",)
    late = process.elements["late"]
    assert isinstance(late, model.TimerBoundaryEvent)
    assert late.timer.kind is TimerKind.DURATION
    assert not late.interrupting
    assert process.none_start_id == "start"


def test_what_is_not_executed_is_ignored():
    """Notes, lanes, data objects, diagrams and other vendors' extensions change nothing."""
    extra = (
        '<bpmn:laneSet id="l"><bpmn:lane id="l1"/></bpmn:laneSet>'
        '<bpmn:textAnnotation id="n"><bpmn:text>note</bpmn:text></bpmn:textAnnotation>'
        '<bpmn:association id="a" sourceRef="start" targetRef="n"/>'
        '<bpmn:dataObjectReference id="d"/><bpmn:group id="g"/>'
        "<bpmn:extensionElements><x:y xmlns:x='urn:x'/></bpmn:extensionElements>"
        "<!-- a comment --><?pi x?>"
    )
    diagram = (
        '<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"/>'
        '<bpmn:collaboration id="c"/>'
    )
    pieces = (extra, b.start(), b.end(), b.chain("start", "end"))
    [process] = read_bpmn(b.bpmn(*pieces, more=diagram))
    assert set(process.elements) == {"start", "end"}


@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        (b.node("receiveTask", "x"), "elements of type receiveTask are not supported"),
        (b.node("eventBasedGateway", "x"), "elements of type eventBasedGateway are not supported"),
        (b.node("inclusiveGateway", "x"), "elements of type inclusiveGateway are not supported"),
        (b.node("adHocSubProcess", "x"), "elements of type adHocSubProcess are not supported"),
        (b.node("transaction", "x"), "elements of type transaction are not supported"),
        (
            b.node("intermediateCatchEvent", "x", "<bpmn:messageEventDefinition/>"),
            "an intermediate catch event of kind message is not supported; it can be a timer",
        ),
        (b.node("intermediateCatchEvent", "x"), "must have an event to wait for"),
        (
            b.end("x", "<bpmn:signalEventDefinition/>"),
            "of kind signal is not supported; it can be none, error or terminate",
        ),
        (
            b.node("intermediateThrowEvent", "x", "<bpmn:escalationEventDefinition/>"),
            "of kind escalation is not supported",
        ),
        (b.node("serviceTask", "x"), "'zeebe:taskDefinition'"),
        (b.service("x", type=""), "Attribute 'type' of taskDefinition must be present"),
        (b.service("x", retries="many"), "retries must be a whole number, not 'many'"),
        (b.script("x", "=1", ""), "Attribute 'resultVariable' of script must be present"),
        (b.node("callActivity", "x"), "'zeebe:calledElement'"),
        (b.call("x", "q", 'bindingType="newest"'), "unknown binding type 'newest'"),
        (b.call("x", "q", 'bindingType="versionTag"'), "needs the attribute 'versionTag'"),
        (b.sub_process("x"), "exactly one start event"),
        (
            b.node("subProcess", "x", b.start("s"), triggeredByEvent="true"),
            "event sub-processes are not supported",
        ),
        (
            b.node("task", "x", "<bpmn:standardLoopCharacteristics/>"),
            "standard loops are not supported",
        ),
        (
            b.node("task", "x", "<bpmn:multiInstanceLoopCharacteristics/>"),
            "'zeebe:loopCharacteristics'",
        ),
        (b.service("x", inner=b.loop("")), "'inputCollection' of loopCharacteristics must be"),
        (b.service("x", inputs=[("=1", "a b")]), "the target 'a b' of an input mapping"),
        (
            b.user("x", '<zeebe:priorityDefinition priority="200"/>'),
            "priority must be a whole number from 0 to 100, not '200'",
        ),
        (b.user("x", '<zeebe:taskSchedule dueDate="soon"/>'), "dueDate: 'soon' is no ISO 8601"),
        (b.user("x", '<zeebe:formDefinition formKey="k"/>'), "not by formKey"),
        (
            b.node("intermediateCatchEvent", "x", b.timer("timeDuration", "5 minutes")),
            "timeDuration: '5 minutes' is no ISO 8601 duration",
        ),
        (
            b.node("intermediateCatchEvent", "x", b.timer("timeCycle", "R/PT1H")),
            "a timer here must be given by timeDate or timeDuration, not by timeCycle",
        ),
        (
            b.node("intermediateCatchEvent", "x", "<bpmn:timerEventDefinition/>"),
            "one of timeDuration, timeDate and timeCycle",
        ),
        (
            b.node(
                "serviceTask",
                "x",
                "",
                "<zeebe:taskDefinition type='a'/><zeebe:executionListeners/>",
            ),
            "execution listeners are not supported",
        ),
        (b.end("x", b.error()), "must refer to an error"),
        (b.end("x", b.error("gone")), "refers to an error 'gone' that the file does not define"),
        (b.boundary("x", "nothing", b.timer("timeDuration", "PT1S")), "must be attached to a task"),
        (b.node("exclusiveGateway", "x", default="nothing"), "does not leave it"),
    ],
)
def test_refusals_name_the_element_and_the_reason(piece, reason):
    """What cannot be run is refused by its element's id and a reason."""
    faults = _faults(b.bpmn(b.start(), piece, b.chain("start", "end"), b.end()))
    assert reason in faults["x"]


def test_an_id_that_comes_twice_is_told_alone():
    """What else seems wrong may follow from it: here the start event is hidden by the task."""
    pieces = (b.start("x"), b.service("x"), b.chain("x", "end"), b.end())
    assert _faults(b.bpmn(*pieces)) == {"x": "another element of the process has the same id"}


def test_name_of_the_element_is_told():
    """The element's name, as the modeller sees it, stands beside its id."""
    piece = b.node("receiveTask", "x", name="Wait for\nthe answer")
    with pytest.raises(ModelRefusedError, match=r"Element: x \(Wait for the answer\)"):
        read_bpmn(b.bpmn(b.start(), piece, b.chain("start", "x")))


def test_all_faults_at_once():
    """A modeller sees every fault of the file, not the first alone."""
    faults = _faults(
        b.bpmn(
            b.start(),
            b.node("receiveTask", "a"),
            b.node("serviceTask", "c"),
            b.chain("start", "a", "c"),
        ),
    )
    assert set(faults) == {"a", "c"}


@pytest.mark.parametrize(
    ("piece", "element_id"),
    [
        (b.service("x", inputs=[("=1 +", "a")]), "x"),
        (b.service("x", type="=(1"), "x"),
        (b.script("x", "=if a", "r"), "x"),
        (b.service("x", inner=b.loop("=[1,")), "x"),
        (b.user("x", '<zeebe:assignmentDefinition assignee="=a b c"/>'), "x"),
        (b.flow("gw", "end", "=a >", id="x"), "x"),
    ],
    ids=["input", "type", "script", "loop", "assignee", "condition"],
)
def test_broken_feel_is_refused_with_its_place(piece, element_id):
    """FEEL that does not parse is refused at deployment, with element, line and column."""
    faults = _faults(
        b.bpmn(
            b.start(),
            b.node("exclusiveGateway", "gw", default="gw_end"),
            piece,
            b.end(),
            b.chain("start", "gw", "end"),
        ),
    )
    assert "is broken: line 1, column " in faults[element_id]


@pytest.mark.parametrize(
    ("pieces", "element_id", "reason"),
    [
        ((b.end(),), "p", "at least one start event"),
        (
            (b.start("a"), b.start("c"), b.chain("a", "end"), b.chain("c", "end"), b.end()),
            "p",
            "only one none start event",
        ),
        ((b.start(), b.chain("start", "nowhere")), "start_nowhere", "leads to 'nowhere'"),
        (
            (b.start(), b.sub_process("sub", b.start("s")), b.chain("start", "s")),
            "start_s",
            "no element of the same scope",
        ),
        (
            (b.start(), b.end(), b.chain("start", "end", "start")),
            "end",
            "no outgoing sequence flow",
        ),
        ((b.start(), b.node("task", "t"), b.chain("start", "t", "start")), "start", "no incoming"),
        (
            (
                b.start(),
                b.node("exclusiveGateway", "g"),
                b.end("a"),
                b.end("c"),
                b.chain("start", "g", "a"),
                b.chain("g", "c"),
            ),
            "g",
            "must have a condition or be the default flow",
        ),
        ((b.start(), b.start(), b.chain("start", "end"), b.end()), "start", "the same id"),
        (
            (
                b.start(),
                b.node("task", "t"),
                b.end(),
                b.chain("start", "t"),
                b.flow("t", "end", "=x"),
            ),
            "t_end",
            "only flows that leave an exclusive gateway can have a condition",
        ),
        (
            (
                b.start(),
                b.service("t"),
                b.boundary("x", "t", b.error()),
                b.boundary("y", "t", b.error()),
                b.chain("start", "t"),
            ),
            "x",
            "catches every error as well",
        ),
    ],
    ids=[
        "no-start",
        "two-starts",
        "nowhere",
        "other-scope",
        "after-end",
        "into-start",
        "no-condition",
        "same-id",
        "condition-elsewhere",
        "same-error",
    ],
)
def test_faults_between_elements(pieces, element_id, reason):
    """What only the whole process shows is refused too."""
    assert reason in _faults(b.bpmn(*pieces))[element_id]


@pytest.mark.parametrize(
    "pieces",
    [
        (
            b.start(),
            b.node("task", "a"),
            b.node("manualTask", "c"),
            b.chain("start", "a", "c", "a"),
        ),
        (
            b.start(),
            b.script("a", "=1", "r"),
            b.node("exclusiveGateway", "g"),
            b.chain("start", "a", "g", "a"),
        ),
        (b.start(), b.call("a", "p"), b.chain("start", "a")),
        (
            b.start(),
            b.sub_process("sub", b.start("s"), b.node("task", "a"), b.chain("s", "a")),
            b.chain("start", "sub", "sub"),
        ),
    ],
    ids=["tasks", "script", "calls-itself", "sub-process"],
)
def test_loops_that_never_wait_are_refused(pieces):
    """A loop in which nothing ever waits would run for ever; it is refused with its elements."""
    assert "straight-through processing loop: " in _faults(b.bpmn(*pieces))["p"]


def test_loops_with_a_wait_are_fine():
    """A loop with a job, a timer or a user task in it is a process like any other."""
    waiting = [
        b.service("w"),
        b.user("w"),
        b.node("intermediateCatchEvent", "w", b.timer("timeDuration", "PT1S")),
    ]
    for wait in waiting:
        read_bpmn(b.bpmn(b.start(), b.node("task", "t"), wait, b.chain("start", "t", "w", "t")))


def test_large_files_are_read_fast():
    """Reading takes time in proportion to the file's size: 2,000 elements in well under 2 s."""
    ids = [f"t{number}" for number in range(2_000)]
    tasks = [b.node("task", each) for each in ids[::2]] + [b.service(each) for each in ids[1::2]]
    content = b.bpmn(b.start(), *tasks, b.end(), b.chain("start", *ids, "end"))
    began_s = time.process_time()
    [process] = read_bpmn(content)
    assert time.process_time() - began_s < 2
    assert len(process.elements) == 2_002


_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "xxxxxxxxxx">'
    + "".join(f'<!ENTITY {chr(c)} "{f"&{chr(c - 1)};" * 10}">' for c in range(ord("b"), ord("k")))
    + "]>"
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not well-formed XML"),
        (b"hello", "not well-formed XML"),
        (b"\x00\xff\xfe", "not well-formed XML"),
        (b.bpmn(b.start())[:-20], "not well-formed XML"),
        (b"<x/>", "no BPMN 2.0: its root is 'x'"),
        (b.document(), "at least one executable process"),
        (b.document('<bpmn:process id="p"/>'), "at least one executable process"),
        ((_BOMB + "<x>&j;</x>").encode(), "the file "),
        ((_BOMB + '<x a="&j;"/>').encode(), "the file "),
        (
            b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><x>&f;</x>',
            "document type",
        ),
        (b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><x/>', "document type"),
        (("<a>" * 5000 + "</a>" * 5000).encode(), "not well-formed XML"),
    ],
    ids=[
        "empty",
        "text",
        "bytes",
        "cut-off",
        "other-xml",
        "no-process",
        "not-executable",
        "entity-bomb",
        "attribute-bomb",
        "external-entity",
        "external-dtd",
        "deep",
    ],
)
@pytest.mark.timeout(5)
def test_files_that_are_no_bpmn(content, reason):
    """Broken, foreign and hostile files are refused fast and without reading anything else."""
    assert reason in _faults(content)["definitions"]
