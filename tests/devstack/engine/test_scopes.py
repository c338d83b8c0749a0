"""Elements with others inside: sub-processes, call activities, multi-instances."""

from __future__ import annotations

import orjson
import pytest

from devstack.engine.behaviours.call_activity import MAX_PROCESS_DEPTH
from devstack.errors import InvalidStateError
from tests.kit import bpmn as b
from tests.kit.cluster import Cluster


@pytest.fixture
def cluster(clock) -> Cluster:
    return Cluster(clock)


def _called(*, id: str = "q") -> bytes:
    return b.bpmn(b.start(), b.service("inner"), b.end(), b.chain("start", "inner", "end"), id=id)


def _calling(attributes: str = "", inputs=(), outputs=(), called: str = "q") -> bytes:
    activity = b.call("c", called, attributes, b.mappings(inputs, outputs))
    return b.bpmn(b.start(), activity, b.end(), b.chain("start", "c", "end"))


def test_sub_process_has_a_scope_of_its_own(cluster):
    """Elements inside have the sub-process as flow scope, and its local variables."""
    inner = b.sub_process(
        "sub",
        b.start("s"),
        b.service("t"),
        b.end("e"),
        b.chain("s", "t", "e"),
        extensions=b.mappings([("=a * 2", "local")], [("=local + got", "result")]),
    )
    cluster.deploy(b.bpmn(b.start(), inner, b.end(), b.chain("start", "sub", "end")))
    key = cluster.start(variables={"a": 4})
    [given] = cluster.jobs()
    assert orjson.loads(given.variables) == {"a": 4, "local": 8}
    activated = {r.value["elementId"]: r for r in cluster.events("PROCESS_INSTANCE")}
    sub = activated["sub"]
    assert activated["t"].value["flowScopeKey"] == sub.key
    assert sub.value["flowScopeKey"] == key
    assert activated["t"].value["elementInstancePath"] == [[key, sub.key, activated["t"].key]]
    cluster.engine.complete_job(given.job.key, {"got": 1})
    assert cluster.variables(key) == {"a": "4", "got": "1", "result": "9"}
    assert cluster.has_ended(key)
    assert cluster.remembers == 0


def test_terminate_end_event_ends_its_sub_process_only(cluster):
    """A terminate end event inside completes the sub-process, and the process goes on."""
    inner = b.sub_process(
        "sub",
        b.start("s"),
        b.node("parallelGateway", "fork"),
        b.service("slow"),
        b.end("e"),
        b.end("stop", b.TERMINATE),
        b.chain("s", "fork", "slow", "e"),
        b.chain("fork", "stop"),
    )
    cluster.deploy(b.bpmn(b.start(), inner, b.end(), b.chain("start", "sub", "end")))
    key = cluster.start()
    assert cluster.trace("slow")[-1] == "TERMINATED"
    assert cluster.trace("sub")[-1] == "COMPLETED"
    assert cluster.trace("end")[-1] == "COMPLETED"
    assert cluster.has_ended(key)
    assert cluster.remembers == 0


def test_call_activity_runs_a_child_instance(cluster):
    """The child is a process instance of its own that knows its parent and copies its variables."""
    cluster.deploy(_calling(), _called())
    key = cluster.start(variables={"a": 1})
    [given] = cluster.jobs()
    assert orjson.loads(given.variables) == {"a": 1}
    child_key = given.job.instance.process_instance_key
    assert child_key != key
    [child] = [
        r for r in cluster.events("PROCESS_INSTANCE", "ELEMENT_ACTIVATED") if r.key == child_key
    ]
    [activity] = [
        r
        for r in cluster.events("PROCESS_INSTANCE", "ELEMENT_ACTIVATED")
        if r.value["elementId"] == "c"
    ]
    assert child.value["parentProcessInstanceKey"] == key
    assert child.value["parentElementInstanceKey"] == activity.key
    assert child.value["rootProcessInstanceKey"] == key
    assert child.value["elementInstancePath"] == [[key, activity.key], [child_key]]
    assert child.value["callingElementPath"] == [0]
    cluster.engine.complete_job(given.job.key, {"a": 2, "b": 3})
    assert cluster.variables(key) == {"a": "2", "b": "3"}
    assert cluster.has_ended(key)
    assert cluster.has_ended(child_key)
    assert cluster.remembers == 0


@pytest.mark.parametrize(
    ("activity", "sees", "gets"),
    [
        (
            {"attributes": 'propagateAllParentVariables="false"', "inputs": [("=a", "x")]},
            {"x": 1},
            {"a", "b"},
        ),
        ({"attributes": 'propagateAllChildVariables="false"'}, {"a": 1}, {"a"}),
        ({"outputs": [("=b", "r")]}, {"a": 1}, {"a", "r"}),
        (
            {"attributes": 'propagateAllChildVariables="false"', "outputs": [("=b", "r")]},
            {"a": 1},
            {"a", "r"},
        ),
    ],
    ids=["own-inputs", "nothing-back", "mapped-back", "only-mapped-back"],
)
def test_what_a_call_activity_passes(cluster, activity, sees, gets):
    """Which variables a called process sees and gives back follows the model."""
    cluster.deploy(_calling(**activity), _called())
    key = cluster.start(variables={"a": 1})
    [given] = cluster.jobs()
    assert orjson.loads(given.variables) == sees
    cluster.engine.complete_job(given.job.key, {"b": 3})
    assert set(cluster.variables(key)) == gets


def test_process_that_is_not_deployed_is_an_incident(cluster):
    """A call of an unknown process waits until it is deployed."""
    cluster.deploy(_calling(called='="q" + suffix'))
    key = cluster.start(variables={"suffix": "2"})
    [incident] = cluster.incidents()
    assert incident.value["errorType"] == "CALLED_ELEMENT_ERROR"
    assert "'q2'" in incident.value["errorMessage"]
    cluster.deploy(_called(id="q2"))
    cluster.engine.resolve_incident(incident.key)
    cluster.complete()
    assert cluster.has_ended(key)


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("", "Expected process with BPMN process id 'q' to be deployed, but not found."),
        ('bindingType="deployment"', "with binding type 'deployment', but no such process found"),
        ('bindingType="versionTag" versionTag="1.2"', "and version tag '1.2', but no such process"),
    ],
    ids=["latest", "deployment", "versionTag"],
)
def test_the_incident_tells_how_the_missing_process_is_bound(cluster, binding, message):
    """The words are Zeebe's, by the kind of binding."""
    cluster.deploy(b.bpmn(b.start(), b.call("c", "q", binding), b.chain("start", "c")))
    cluster.start()
    [incident] = cluster.incidents()
    assert message in incident.value["errorMessage"]


def test_newest_version_is_called_unless_bound(cluster):
    """`latest` takes the newest version, `deployment` the one deployed together."""
    first = b.process(
        b.start(),
        b.call("c", "q", 'bindingType="deployment"'),
        b.call("d", "q"),
        b.chain("start", "c", "d"),
    )
    together = b.process(b.start(), b.node("task", "one"), b.chain("start", "one"), id="q")
    cluster.deploy(b.document(first, together))
    cluster.deploy(b.bpmn(b.start(), b.node("task", "two"), b.chain("start", "two"), id="q"))
    key = cluster.start()
    assert cluster.trace("one")[-1] == "COMPLETED"
    assert cluster.trace("two")[-1] == "COMPLETED"
    assert cluster.has_ended(key)


def test_cancelling_takes_called_processes_along(cluster):
    """Cancelling the root ends the child first; the child itself cannot be canceled."""
    cluster.deploy(_calling(), _called())
    key = cluster.start()
    child_key = cluster.jobs()[0].job.instance.process_instance_key
    with pytest.raises(InvalidStateError, match=f"root process instance '{key}'"):
        cluster.engine.cancel_instance(child_key)
    cluster.engine.cancel_instance(key)
    ended = [r.key for r in cluster.events("PROCESS_INSTANCE", "ELEMENT_TERMINATED")]
    assert ended.index(child_key) < ended.index(key)
    assert cluster.intents("JOB") == ["CREATED", "CANCELED"]
    assert cluster.remembers == 0


def test_what_ends_with_its_inner_elements_ends_in_the_same_step(cluster):
    """A scope's end follows the command that ended its last element, as in Zeebe: no other one."""
    cluster.deploy(_calling(), _called())
    key = cluster.start()
    cluster.engine.cancel_instance(key)
    ended = cluster.events("PROCESS_INSTANCE", "ELEMENT_TERMINATED")
    assert len(ended) == 4
    assert len({record.source_record_position for record in ended}) == 1
    assert "CONTINUE_TERMINATING_ELEMENT" not in {record.intent for record in cluster.records}


def test_processes_that_call_each_other_are_stopped(cluster):
    """A circle of calls that static checks cannot see ends in an incident, not in a crash."""
    cluster.deploy(
        _calling(called="=next"),
        b.bpmn(b.start(), b.call("c", "p"), b.end(), b.chain("start", "c", "end"), id="q"),
    )
    key = cluster.start(variables={"next": "q"})
    while cluster.engine.catch_up():
        pass
    [incident] = cluster.incidents()
    assert incident.value["errorType"] == "CALLED_ELEMENT_ERROR"
    assert f"maximum depth of {MAX_PROCESS_DEPTH}" in incident.value["errorMessage"]
    cluster.engine.cancel_instance(key)
    while cluster.engine.catch_up():
        pass
    assert cluster.has_ended(key)
    assert cluster.remembers == 0


def _looping(**options) -> bytes:
    task = b.service("t", inner=b.loop("=items", **options))
    return b.bpmn(b.start(), task, b.end(), b.chain("start", "t", "end"))


def test_parallel_multi_instance(cluster):
    """All items are worked on at once, and the results stand in their items' order."""
    cluster.deploy(_looping(output=("results", "=item * factor")))
    key = cluster.start(variables={"items": [1, 2, 3]})
    jobs = cluster.jobs()
    assert [orjson.loads(each.variables)["item"] for each in jobs] == [1, 2, 3]
    assert [orjson.loads(each.variables)["loopCounter"] for each in jobs] == [1, 2, 3]
    for given in reversed(jobs):
        cluster.engine.complete_job(given.job.key, {"factor": 10})
    assert cluster.variables(key)["results"] == "[10,20,30]"
    types = {
        record.value["bpmnElementType"]
        for record in cluster.events("PROCESS_INSTANCE")
        if record.value["elementId"] == "t"
    }
    assert types == {"MULTI_INSTANCE_BODY", "SERVICE_TASK"}
    assert cluster.has_ended(key)
    assert cluster.remembers == 0


def test_sequential_multi_instance(cluster):
    """One item after the other."""
    cluster.deploy(_looping(sequential=True, output=("results", "=item")))
    key = cluster.start(variables={"items": ["a", "b", "c"]})
    seen = []
    while jobs := cluster.jobs():
        assert len(jobs) == 1
        seen.append(orjson.loads(jobs[0].variables)["item"])
        cluster.engine.complete_job(jobs[0].job.key, {})
    assert seen == ["a", "b", "c"]
    assert cluster.variables(key)["results"] == '["a","b","c"]'
    assert cluster.has_ended(key)
    assert cluster.remembers == 0


def test_output_variable_stays_inside_each_instance(cluster):
    """An output element that is a plain variable takes each job's own result."""
    cluster.deploy(_looping(output=("results", "=answer")))
    key = cluster.start(variables={"items": [1, 2]})
    for number, given in enumerate(cluster.jobs()):
        cluster.engine.complete_job(given.job.key, {"answer": number})
    assert cluster.variables(key) == {"items": "[1,2]", "results": "[0,1]"}


def test_what_an_output_is_a_property_of_stays_inside_too(cluster):
    """With `=result.n` as output all of `result` stays in its instance; constants make nothing."""
    cluster.deploy(_looping(output=("all", "=result.n")))
    key = cluster.start(variables={"items": [1, 2]})
    for each in cluster.jobs():
        cluster.engine.complete_job(each.job.key, {"result": {"n": each.job.instance.loop_counter}})
    assert cluster.variables(key) == {"items": "[1,2]", "all": "[1,2]"}
    cluster.deploy(_looping(output=("all", "=true")))
    cluster.start(variables={"items": [1]})
    [again] = cluster.jobs()
    assert "true" not in orjson.loads(again.variables)


def test_call_activities_in_parallel_overwrite_their_collection(cluster):
    """What called processes were given comes back whole, and with it an old output collection.

    So does Zeebe's (camunda/camunda issue 11476); not to propagate all of it is the remedy there.
    """
    called = b.bpmn(b.start(), b.script("s", "=item * 2", "r"), b.chain("start", "s"), id="q")
    for attributes, outputs, collected in (
        ("", [], "[null,null,6]"),
        ('propagateAllChildVariables="false"', [("=r", "r")], "[2,4,6]"),
    ):
        call = b.node(
            "callActivity",
            "c",
            b.loop("=[1,2,3]", output=("all", "=r")),
            f'<zeebe:calledElement processId="q" {attributes}/>' + b.mappings([], outputs),
        )
        cluster.deploy(called, b.bpmn(b.start(), call, b.chain("start", "c")))
        assert cluster.variables(cluster.start())["all"] == collected


def test_no_items_no_instances(cluster):
    """An empty collection is done at once."""
    cluster.deploy(_looping(output=("results", "=item")))
    key = cluster.start(variables={"items": []})
    assert cluster.variables(key)["results"] == "[]"
    assert cluster.has_ended(key)


@pytest.mark.parametrize("sequential", [False, True], ids=["parallel", "sequential"])
def test_completion_condition_ends_the_loop(cluster, sequential):
    """Once the condition is true no further instance begins, and those that run are ended."""
    cluster.deploy(
        _looping(sequential=sequential, until="=numberOfCompletedInstances = 2"),
    )
    key = cluster.start(variables={"items": [1, 2, 3, 4]})
    done = 0
    while done < 2:
        cluster.engine.complete_job(cluster.jobs(limit=1)[0].job.key, {})
        done += 1
    assert cluster.jobs() == []
    assert cluster.has_ended(key)
    assert cluster.trace("p")[-1] == "COMPLETED"
    assert cluster.remembers == 0


def test_items_that_are_no_list_are_an_incident(cluster):
    """A collection that is no list waits for one."""
    cluster.deploy(_looping())
    key = cluster.start(variables={"items": "abc"})
    [incident] = cluster.incidents()
    assert "to be 'ARRAY', but was 'STRING'" in incident.value["errorMessage"]
    cluster.engine.set_variables(key, {"items": [1]})
    cluster.engine.resolve_incident(incident.key)
    assert cluster.complete() == 1
    assert cluster.has_ended(key)


def test_error_in_one_instance_ends_the_loop(cluster):
    """A boundary event sits on the loop: an error in one instance ends all of them."""
    task = b.service("t", inner=b.loop("=items"))
    cluster.deploy(
        b.bpmn(
            b.start(),
            task,
            b.boundary("caught", "t", b.error("e1")),
            b.end(),
            b.end("after"),
            b.chain("start", "t", "end"),
            b.chain("caught", "after"),
            errors={"e1": "no"},
        ),
    )
    key = cluster.start(variables={"items": [1, 2, 3]})
    cluster.engine.throw_error(cluster.jobs(limit=1)[0].job.key, code="no")
    assert cluster.jobs() == []
    assert cluster.trace("after")[-1] == "COMPLETED"
    assert cluster.trace("end") == []
    assert cluster.has_ended(key)
    assert cluster.remembers == 0


def test_multi_instance_of_a_sub_process(cluster):
    """Whole sub-processes are repeated, each with variables of its own."""
    inner = b.sub_process(
        "sub",
        b.loop("=items", output=("results", "=r")),
        b.start("s"),
        b.service("t"),
        b.end("e"),
        b.chain("s", "t", "e"),
    )
    cluster.deploy(b.bpmn(b.start(), inner, b.end(), b.chain("start", "sub", "end")))
    key = cluster.start(variables={"items": [5, 6]})
    for given in cluster.jobs():
        item = orjson.loads(given.variables)["item"]
        cluster.engine.complete_job(given.job.key, {"r": item * 2})
    assert cluster.variables(key) == {"items": "[5,6]", "results": "[10,12]"}
    assert cluster.has_ended(key)
    assert cluster.remembers == 0
