"""Variable scopes and mappings."""

from __future__ import annotations

import orjson
import pytest

from tests.kit import bpmn as b
from tests.kit.cluster import Cluster


def _task(inputs=(), outputs=(), **options):
    return b.bpmn(
        b.start(),
        b.service("t", inputs=inputs, outputs=outputs, **options),
        b.end(),
        b.chain("start", "t", "end"),
    )


@pytest.fixture
def cluster(clock) -> Cluster:
    return Cluster(clock)


def test_job_sees_all_variables(cluster):
    """Without input mappings a job has the variables of the process."""
    cluster.deploy(_task())
    cluster.start(variables={"a": 1, "b": {"c": [True, None, "ü"]}})
    [job] = cluster.jobs()
    assert orjson.loads(job.variables) == {"a": 1, "b": {"c": [True, None, "ü"]}}


def test_fetched_variables_only(cluster):
    """A worker that names variables gets these and no others."""
    cluster.deploy(_task())
    cluster.start(variables={"a": 1, "b": 2, "c": 3})
    [job] = cluster.jobs(fetch_variables=frozenset({"a", "c", "none"}))
    assert orjson.loads(job.variables) == {"a": 1, "c": 3}


def test_results_go_to_the_process(cluster):
    """Without output mappings all of a job's variables become variables of the process."""
    cluster.deploy(_task())
    key = cluster.start(variables={"a": 1})
    cluster.complete(variables={"a": 2, "b": "x"})
    assert cluster.variables(key) == {"a": "2", "b": '"x"'}
    assert cluster.intents("VARIABLE") == ["CREATED", "UPDATED", "CREATED"]


def test_result_of_a_local_variable_stays_inside(cluster):
    """A result that is also an input mapping's target is kept at the element."""
    cluster.deploy(_task(inputs=[("=a", "local")]))
    key = cluster.start(variables={"a": 1})
    cluster.complete(variables={"local": 5, "out": 6})
    assert cluster.variables(key) == {"a": "1", "out": "6"}


def test_output_mappings_alone_go_out(cluster):
    """With output mappings nothing but their results leaves the element."""
    cluster.deploy(_task(outputs=[("=result.body", "body")]))
    key = cluster.start()
    cluster.complete(variables={"result": {"body": [1]}, "other": 2})
    assert cluster.variables(key) == {"body": "[1]"}


def test_nested_output_is_merged(cluster):
    """A nested target keeps what its object holds already."""
    cluster.deploy(_task(outputs=[("=x", "order.total"), ("=y", "order.by.name")]))
    key = cluster.start(variables={"order": {"id": 7, "by": {"age": 3}}})
    cluster.complete(variables={"x": 9, "y": "Ann"})
    order = orjson.loads(cluster.variables(key)["order"])
    assert order == {"id": 7, "by": {"age": 3, "name": "Ann"}, "total": 9}


def test_static_source_is_text(cluster):
    """A source without an equals sign is text, even when it looks like a number."""
    cluster.deploy(_task(inputs=[("20", "results"), ("plain", "word")]))
    cluster.start()
    [job] = cluster.jobs()
    assert orjson.loads(job.variables) == {"results": "20", "word": "plain"}


_TEMPLATE = [
    ("post", "input.method"),
    ('="key: " + if is defined(input.key) then input.key else "none"', "url"),
    ("7", "input.key"),
]
"""As in the Operate template: the URL is mapped between two parts of the object it reads."""


@pytest.mark.parametrize(
    ("version", "url"),
    [("8.3", "key: 7"), ("8.8", "key: 7"), ("8.9", "key: 7"), ("8.10", "key: none")],
)
def test_mappings_with_one_root_are_grouped_until_8_10(clock, version, url):
    """Up to 8.9 an object mapped in parts is whole for what is mapped after its first part."""
    cluster = Cluster(clock, version=version)
    cluster.deploy(_task(inputs=_TEMPLATE))
    cluster.start()
    [job] = cluster.jobs()
    assert orjson.loads(job.variables) == {"input": {"method": "post", "key": "7"}, "url": url}


@pytest.mark.parametrize("version", ["8.8", "8.10"])
def test_mappings_see_those_before_them(clock, version):
    """A mapping sees the results of earlier ones, and variables of outer scopes otherwise."""
    cluster = Cluster(clock, version=version)
    cluster.deploy(_task(inputs=[("=a + 1", "b"), ("=b + 1", "c"), ("=c + d", "e")]))
    cluster.start(variables={"a": 1, "d": 10})
    [job] = cluster.jobs()
    assert orjson.loads(job.variables) == {"a": 1, "b": 2, "c": 3, "d": 10, "e": 13}


@pytest.mark.parametrize("version", ["8.8", "8.10"])
def test_failing_mapping_is_an_incident(clock, version):
    """A mapping whose evaluation fails sets nothing; solved and resolved, the task goes on."""
    cluster = Cluster(clock, version=version)
    cluster.deploy(_task(inputs=[("=1", "one"), ("=assert(x, x != null)", "two")]))
    key = cluster.start()
    [incident] = cluster.incidents()
    assert incident.value["errorType"] == "IO_MAPPING_ERROR"
    assert incident.value["elementId"] == "t"
    assert cluster.events("VARIABLE") == []
    cluster.engine.set_variables(key, {"x": 2})
    cluster.engine.resolve_incident(incident.key)
    [job] = cluster.jobs()
    assert orjson.loads(job.variables) == {"one": 1, "two": 2, "x": 2}


def test_failing_output_mapping_keeps_the_result(cluster):
    """An output mapping that fails can be tried again: the job's result is not lost."""
    cluster.deploy(_task(outputs=[("=assert(r + x, x != null)", "sum")]))
    key = cluster.start()
    cluster.complete(variables={"r": 1})
    [incident] = cluster.incidents()
    assert incident.value["errorType"] == "IO_MAPPING_ERROR"
    assert cluster.trace("t")[-1] == "COMPLETING"
    cluster.engine.set_variables(key, {"x": 2})
    cluster.engine.resolve_incident(incident.key)
    assert cluster.variables(key)["sum"] == "3"
    [command] = [record for record in cluster.records if record.intent == "RESOLVE"]
    left = cluster.events("PROCESS_INSTANCE", "ELEMENT_COMPLETED")[1]
    assert (left.value["elementId"], left.source_record_position) == ("t", command.position)
    assert cluster.has_ended(key)


@pytest.mark.parametrize(
    ("tag", "inner", "known"),
    [
        ("task", "", {}),
        ("manualTask", "", {}),
        ("intermediateThrowEvent", "", {"out": "null"}),
        ("endEvent", "", {"out": "null"}),
        ("endEvent", b.TERMINATE, {}),
    ],
    ids=["task", "manualTask", "throw", "end", "terminate"],
)
def test_what_zeebe_maps_nothing_into(cluster, tag, inner, known):
    """Events of no kind map out only; tasks without work and terminate ends map nothing."""
    mapping = b.mappings([("=1", "x")], [("=x", "out")])
    cluster.deploy(b.bpmn(b.start(), b.node(tag, "e", inner, mapping), b.chain("start", "e")))
    key = cluster.start()
    assert cluster.variables(key) == known
    assert len(cluster.events("VARIABLE")) == len(known)
    assert cluster.has_ended(key)


def test_set_variables_where_they_are_known(cluster):
    """Without `local` a variable is changed in the scope that has it; unknown ones go outermost."""
    cluster.deploy(_task(inputs=[("=1", "local")]))
    key = cluster.start(variables={"a": 1})
    [task] = cluster.events("PROCESS_INSTANCE", "ELEMENT_ACTIVATED")[-1:]
    cluster.engine.set_variables(task.key, {"local": 2, "a": 3, "new": 4})
    assert cluster.variables(key) == {"a": "3", "new": "4"}
    assert cluster.variables(task.key) == {"local": "2"}
    cluster.engine.set_variables(task.key, {"a": 5}, local=True)
    assert cluster.variables(task.key) == {"local": "2", "a": "5"}
    assert cluster.variables(key)["a"] == "3"


def test_script_task_keeps_its_result(cluster):
    """A script's result becomes a variable of the process under the name it asks for."""
    cluster.deploy(
        b.bpmn(
            b.start(),
            b.script("s", "=sum(items)", "total"),
            b.end(),
            b.chain("start", "s", "end"),
        ),
    )
    key = cluster.start(variables={"items": [1, 2, 3]})
    assert cluster.variables(key)["total"] == "6"
    assert cluster.has_ended(key)


def test_large_integers_stay_exact(cluster):
    """Integers past 2^53, and past 64 bits out of FEEL, keep every digit."""
    cluster.deploy(_task(inputs=[("=a * a", "square")]))
    key = cluster.start(variables={"a": 9007199254740993})
    assert cluster.variables(key) == {"a": "9007199254740993"}
    [job] = cluster.jobs()
    assert '"square":81129638414606699710187514626049' in job.variables
