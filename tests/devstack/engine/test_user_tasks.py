"""User tasks: the engine's own and those done by a job."""

from __future__ import annotations

import orjson
import pytest

from devstack.engine import Resource
from devstack.errors import InvalidArgumentError, InvalidStateError, NotFoundError
from tests.kit import bpmn as b
from tests.kit.cluster import Cluster


@pytest.fixture
def cluster(clock) -> Cluster:
    return Cluster(clock)


def _with(task: str) -> bytes:
    return b.bpmn(b.start(), task, b.end(), b.chain("start", "approve", "end"))


_PLAIN = _with(b.user("approve"))


def _key(cluster) -> int:
    return cluster.events("USER_TASK", "CREATED")[-1].key


def test_task_has_what_the_model_says(cluster, clock):
    """Assignment, dates, priority and headers come from the model, FEEL evaluated."""
    extensions = (
        '<zeebe:assignmentDefinition assignee="=who" candidateGroups="sales, back-office" '
        'candidateUsers="=[who, &quot;ann&quot;]"/>'
        '<zeebe:taskSchedule dueDate="2026-02-01T12:00:00Z" followUpDate="=later"/>'
        '<zeebe:priorityDefinition priority="=10 * 8"/>'
        '<zeebe:formDefinition externalReference="form-x"/>' + b.headers({"channel": "teams"})
    )
    cluster.deploy(_with(b.user("approve", extensions)))
    cluster.start(variables={"who": "demo", "later": "2026-03-01T12:00:00+01:00"})
    assert cluster.intents("USER_TASK") == ["CREATING", "CREATED", "ASSIGNING", "ASSIGNED"]
    created = cluster.events("USER_TASK", "CREATED")[0]
    assert created.value["assignee"] == ""
    assigned = cluster.events("USER_TASK", "ASSIGNED")[0].value
    assert assigned["assignee"] == "demo"
    assert assigned["changedAttributes"] == ["assignee"]
    assert assigned["candidateGroupsList"] == ["sales", "back-office"]
    assert assigned["candidateUsersList"] == ["demo", "ann"]
    assert assigned["dueDate"] == "2026-02-01T12:00:00Z"
    assert assigned["followUpDate"] == "2026-03-01T12:00:00+01:00"
    assert assigned["priority"] == 80
    assert assigned["externalFormReference"] == "form-x"
    assert assigned["formKey"] == -1
    assert assigned["customHeaders"] == {"channel": "teams"}
    assert assigned["creationTimestamp"] == clock.now_ms()
    assert created.key == created.value["userTaskKey"]


def test_completed_task_lets_the_process_go_on(cluster):
    """Completing brings the variables into the process."""
    cluster.deploy(_PLAIN)
    key = cluster.start()
    cluster.engine.complete_user_task(_key(cluster), {"approved": True}, "approve")
    assert cluster.intents("USER_TASK") == ["CREATING", "CREATED", "COMPLETING", "COMPLETED"]
    completed = cluster.events("USER_TASK", "COMPLETED")[0].value
    assert completed["variables"] == {"approved": True}
    assert completed["action"] == "approve"
    assert cluster.variables(key) == {"approved": "true"}
    assert cluster.has_ended(key)
    assert cluster.remembers == 0


def test_completing_twice_is_not_found(cluster):
    """A task that is done is gone."""
    cluster.deploy(_PLAIN)
    cluster.start()
    task_key = _key(cluster)
    cluster.engine.complete_user_task(task_key)
    with pytest.raises(NotFoundError) as refusal:
        cluster.engine.complete_user_task(task_key)
    assert refusal.value.reason == (
        f"Expected to complete user task with key '{task_key}', but no such user task was found"
    )


def test_assigning_and_claiming(cluster):
    """An assignment can be overridden, a claim cannot take another's task."""
    cluster.deploy(_PLAIN)
    cluster.start()
    task_key = _key(cluster)
    cluster.engine.assign_user_task(task_key, "ann")
    with pytest.raises(InvalidStateError, match="has already been assigned"):
        cluster.engine.assign_user_task(task_key, "bob", allow_override=False)
    cluster.engine.assign_user_task(task_key, "bob")
    cluster.engine.assign_user_task(task_key, "")
    cluster.engine.assign_user_task(task_key, "eve", allow_override=False, action="take")
    names = [record.value["assignee"] for record in cluster.events("USER_TASK", "ASSIGNED")]
    assert names == ["ann", "bob", "", "eve"]
    assert cluster.events("USER_TASK", "ASSIGNED")[-1].value["action"] == "take"
    assert cluster.intents("USER_TASK")[-2:] == ["CLAIMING", "ASSIGNED"]


def test_a_refusal_holds_what_the_command_held(cluster):
    """A refused claim names the assignee and the action that it was about."""
    cluster.deploy(_PLAIN)
    cluster.start()
    task_key = _key(cluster)
    cluster.engine.assign_user_task(task_key, "ann")
    with pytest.raises(InvalidStateError):
        cluster.engine.assign_user_task(task_key, "bob", allow_override=False)
    command, refusal = cluster.records[-2:]
    assert (refusal.record_type, refusal.intent) == ("COMMAND_REJECTION", "CLAIM")
    assert (refusal.value["assignee"], refusal.value["action"]) == ("bob", "claim")
    assert refusal.value == command.value


def test_updating_changes_and_clears(cluster):
    """A changeset sets fields, null clears one, and only what changed is named as changed."""
    cluster.deploy(_PLAIN)
    cluster.start()
    task_key = _key(cluster)
    cluster.engine.update_user_task(
        task_key,
        {"priority": 90, "candidateUsers": ["ann"], "dueDate": "2026-02-01T12:00:00Z"},
    )
    cluster.engine.update_user_task(task_key, {"dueDate": None, "priority": 90})
    first, second = (record.value for record in cluster.events("USER_TASK", "UPDATED"))
    assert first["changedAttributes"] == ["candidateUsersList", "dueDate", "priority"]
    assert first["candidateUsersList"] == ["ann"]
    assert second["changedAttributes"] == ["dueDate"]
    assert second["dueDate"] == ""
    assert second["priority"] == 90


@pytest.mark.parametrize(
    "changeset",
    [{"priority": 101}, {"priority": True}, {"dueDate": "soon"}, {"candidateUsers": "x"}, {"a": 1}],
    ids=["range", "boolean", "date", "list", "unknown"],
)
def test_wrong_changesets_are_refused(cluster, changeset):
    """A change that cannot be made is refused and changes nothing."""
    cluster.deploy(_PLAIN)
    cluster.start()
    with pytest.raises(InvalidArgumentError):
        cluster.engine.update_user_task(_key(cluster), changeset)
    assert cluster.events("USER_TASK", "UPDATED") == []


def test_cancelled_instance_cancels_its_task(cluster):
    """Cancelling the process cancels the task."""
    cluster.deploy(_PLAIN)
    key = cluster.start()
    cluster.engine.cancel_instance(key)
    assert cluster.intents("USER_TASK")[-2:] == ["CANCELING", "CANCELED"]
    assert cluster.remembers == 0


def test_form_is_found_by_its_id(cluster):
    """A linked form's key stands in the task; a form that is not deployed is an incident."""
    linked = _with(b.user("approve", '<zeebe:formDefinition formId="f"/>'))
    cluster.deploy(linked)
    cluster.start()
    [incident] = cluster.incidents()
    assert incident.value["errorType"] == "FORM_NOT_FOUND"
    cluster.engine.deploy([Resource("f.form", b'{"id": "f", "components": []}')])
    [form] = cluster.events("FORM", "CREATED")
    cluster.engine.resolve_incident(incident.key)
    assert cluster.events("USER_TASK", "CREATED")[0].value["formKey"] == form.key


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("", "Expected to find a form with id 'f', but no form with this id is found"),
        ('bindingType="deployment"', "with binding type 'deployment', but no such form found"),
        ('bindingType="versionTag" versionTag="1"', "and version tag '1', but no such form found"),
    ],
    ids=["latest", "deployment", "versionTag"],
)
def test_the_incident_tells_how_the_missing_form_is_bound(cluster, binding, message):
    """The words are Zeebe's, by the kind of binding."""
    cluster.deploy(_with(b.user("approve", f'<zeebe:formDefinition formId="f" {binding}/>')))
    cluster.start()
    [incident] = cluster.incidents()
    assert message in incident.value["errorMessage"]


def test_wrong_type_of_assignee_is_an_incident(cluster):
    """An assignee that is no text is an incident, not a task."""
    extensions = '<zeebe:assignmentDefinition assignee="=who"/>'
    cluster.deploy(_with(b.user("approve", extensions)))
    cluster.start(variables={"who": 5})
    [incident] = cluster.incidents()
    assert (
        "Expected result of the expression 'who' to be 'STRING', but was 'NUMBER'."
        in (incident.value["errorMessage"])
    )
    assert cluster.events("USER_TASK") == []


def test_job_based_user_task(cluster):
    """Without `zeebe:userTask` a user task is a job, its assignment in reserved headers."""
    extensions = (
        '<zeebe:assignmentDefinition assignee="=who" candidateGroups="a,b"/>'
        '<zeebe:taskSchedule dueDate="2026-02-01T12:00:00Z"/>'
        '<zeebe:formDefinition formKey="camunda-forms:bpmn:x"/>' + b.headers({"own": "1"})
    )
    cluster.deploy(_with(b.node("userTask", "approve", "", extensions)))
    key = cluster.start(variables={"who": "demo"})
    [given] = cluster.jobs("io.camunda.zeebe:userTask")
    assert given.retries == 1
    assert given.job.headers == {
        "own": "1",
        "io.camunda.zeebe:assignee": "demo",
        "io.camunda.zeebe:candidateGroups": '["a","b"]',
        "io.camunda.zeebe:dueDate": "2026-02-01T12:00:00Z",
        "io.camunda.zeebe:formKey": "camunda-forms:bpmn:x",
    }
    cluster.engine.complete_job(given.job.key, orjson.loads('{"ok": true}'))
    assert cluster.has_ended(key)
    assert cluster.events("USER_TASK") == []
