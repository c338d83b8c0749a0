"""User task listeners: jobs that a task's changes wait for."""

from __future__ import annotations

import pytest

from devstack.bpmn.model import TaskListener
from devstack.engine import Resource
from devstack.errors import DevstackError, InvalidArgumentError, InvalidStateError
from tests.kit import bpmn as b
from tests.kit.cluster import Cluster

EVENTS = ("creating", "assigning", "updating", "completing", "canceling")


def listeners(*events, job_type="listen", retries=""):
    attribute = f' retries="{retries}"' if retries else ""
    each = "".join(
        f'<zeebe:taskListener eventType="{event}" type="{job_type}"{attribute}/>'
        for event in events
    )
    return f"<zeebe:taskListeners>{each}</zeebe:taskListeners>"


def process(*extensions):
    task = b.user("approve", "".join(extensions))
    return b.bpmn(b.start(), task, b.end(), b.chain("start", "approve", "end"))


ASSIGNED = '<zeebe:assignmentDefinition assignee="ann" candidateGroups="sales"/>'


@pytest.fixture
def cluster(clock):
    return Cluster(clock)


def task_key(cluster):
    return cluster.events("USER_TASK")[-1].key


def test_a_task_is_created_and_assigned_after_its_listeners(cluster):
    """Each step waits for its listener, and the element is active meanwhile."""
    cluster.deploy(process(ASSIGNED, listeners("creating", "assigning")))
    cluster.start()
    assert cluster.intents("USER_TASK") == ["CREATING"]
    assert "ACTIVATED" in cluster.trace("approve")
    assert cluster.complete("listen") == 1
    assert cluster.intents("USER_TASK") == ["CREATING", "CREATED", "ASSIGNING"]
    assert cluster.complete("listen") == 1
    assert cluster.intents("USER_TASK")[-1] == "ASSIGNED"
    assert cluster.events("USER_TASK", "ASSIGNED")[0].value["assignee"] == "ann"


def test_a_listeners_job_says_what_it_is_about(cluster):
    """Kind, event, changed attributes and the task's data in reserved headers."""
    cluster.deploy(process(ASSIGNED, listeners("assigning"), b.headers({"channel": "teams"})))
    cluster.start()
    (job,) = cluster.jobs("listen")
    assert job.job.headers == {
        "channel": "teams",
        "io.camunda.zeebe:assignee": "ann",
        "io.camunda.zeebe:candidateGroups": '["sales"]',
        "io.camunda.zeebe:changedAttributes": '["assignee"]',
        "io.camunda.zeebe:priority": "50",
        "io.camunda.zeebe:userTaskKey": str(task_key(cluster)),
    }
    value = cluster.events("JOB", "CREATED")[0].value
    assert (value["jobKind"], value["jobListenerEventType"]) == ("TASK_LISTENER", "ASSIGNING")
    assert value["changedAttributes"] == ["assignee"]


def test_each_change_is_told_before_it_happens(cluster):
    """Updating, completing: the change is recorded after the listener, and then told."""
    cluster.deploy(process(listeners(*EVENTS)))
    cluster.start()
    cluster.complete("listen")
    key, ends = task_key(cluster), []
    cluster.engine.update_user_task(key, {"priority": 80}, on_end=ends.append)
    assert (cluster.intents("USER_TASK")[-1], ends) == ("UPDATING", [])
    cluster.complete("listen")
    assert (cluster.intents("USER_TASK")[-1], ends) == ("UPDATED", [None])
    cluster.engine.complete_user_task(key, {"ok": True}, on_end=ends.append)
    cluster.complete("listen")
    assert (cluster.intents("USER_TASK")[-1], ends) == ("COMPLETED", [None, None])
    assert cluster.trace("end")[-1] == "COMPLETED"
    assert not cluster.jobs("listen")
    assert cluster.remembers == 0


def test_listeners_of_one_event_follow_one_another(cluster):
    """The second job is made when the first is done."""
    cluster.deploy(process(listeners("creating", "creating")))
    cluster.start()
    assert [cluster.complete("listen") for _ in range(3)] == [1, 1, 0]
    assert cluster.intents("USER_TASK") == ["CREATING", "CREATED"]


def test_a_task_takes_no_other_command_meanwhile(cluster):
    """While listeners are told of a change, commands about the task are refused."""
    cluster.deploy(process(listeners("completing")))
    cluster.start()
    cluster.engine.complete_user_task(task_key(cluster))
    with pytest.raises(InvalidStateError, match="in state 'COMPLETING'"):
        cluster.engine.assign_user_task(task_key(cluster), "demo")


@pytest.mark.parametrize("event", ["assigning", "updating", "completing"])
def test_a_listener_can_deny_a_change(cluster, event):
    """The task is as it was, whoever asked is told why, and it can be asked again."""
    cluster.deploy(process(listeners(event)))
    cluster.start()
    key, ends = task_key(cluster), []
    command = {
        "assigning": lambda: cluster.engine.assign_user_task(key, "demo", on_end=ends.append),
        "updating": lambda: cluster.engine.update_user_task(
            key, {"priority": 1}, on_end=ends.append
        ),
        "completing": lambda: cluster.engine.complete_user_task(key, on_end=ends.append),
    }[event]
    command()
    (job,) = cluster.jobs("listen")
    cluster.engine.complete_job(job.job.key, {}, {"denied": True, "deniedReason": "not today"})
    intent, change = {
        "assigning": ("ASSIGN", "Assignment"),
        "updating": ("UPDATE", "Update"),
        "completing": ("COMPLETE", "Completion"),
    }[event]
    assert str(ends[0]) == (
        f"Command '{intent}' rejected with code 'INVALID_STATE': {change} of the User Task with "
        f"key '{key}' was denied by Task Listener. Reason to deny: 'not today'"
    )
    assert cluster.intents("USER_TASK")[-1].endswith("DENIED")
    command()
    cluster.complete("listen")
    assert ends[1] is None


def test_cancellation_waits_for_its_listener(cluster):
    """A canceled instance ends when the listener is done; what was under way is dropped."""
    cluster.deploy(process(listeners("completing", "canceling")))
    instance, ends = cluster.start(), []
    cluster.engine.complete_user_task(task_key(cluster), on_end=ends.append)
    cluster.engine.cancel_instance(instance)
    assert ends[0].reason == "user task was canceled during ongoing transition"
    assert cluster.intents("USER_TASK")[-1] == "CANCELING"
    assert not cluster.has_ended(instance)
    assert cluster.complete("listen") == 1
    assert cluster.intents("USER_TASK")[-1] == "CANCELED"
    assert cluster.has_ended(instance)
    assert cluster.remembers == 0


def test_a_cancellation_without_listener_takes_the_job_back(cluster):
    """A listener's job that waits is gone with its element."""
    cluster.deploy(process(listeners("creating")))
    cluster.engine.cancel_instance(cluster.start())
    assert cluster.intents("JOB") == ["CREATED", "CANCELED"]
    assert cluster.remembers == 0


def test_a_failed_listener_holds_the_task_with_an_incident(cluster):
    """Without retries there is an incident; resolved, the change goes on."""
    cluster.deploy(process(listeners("creating", retries="1")))
    cluster.start()
    (job,) = cluster.jobs("listen")
    cluster.engine.fail_job(job.job.key, retries=0, message="no")
    (incident,) = cluster.incidents()
    assert incident.value["errorType"] == "TASK_LISTENER_NO_RETRIES"
    cluster.engine.update_job_retries(job.job.key, 1)
    cluster.engine.resolve_incident(incident.key)
    cluster.complete("listen")
    assert cluster.intents("USER_TASK")[-1] == "CREATED"


@pytest.mark.parametrize(
    ("variables", "result"),
    [({"x": 1}, {}), ({}, {"corrections": {"priority": 1}}), ({}, {"denied": True})],
)
def test_what_a_listener_cannot_give_is_refused(cluster, variables, result):
    """Variables, corrections and a denial of creation are refused, and the job stays."""
    cluster.deploy(process(listeners("creating")))
    cluster.start()
    (job,) = cluster.jobs("listen")
    with pytest.raises(InvalidArgumentError):
        cluster.engine.complete_job(job.job.key, variables, result)
    cluster.engine.complete_job(job.job.key, {})
    assert cluster.intents("USER_TASK")[-1] == "CREATED"


def test_a_listener_throws_no_error(cluster):
    """A BPMN error is for tasks; the listener's job stays."""
    cluster.deploy(process(listeners("creating")))
    cluster.start()
    (job,) = cluster.jobs("listen")
    with pytest.raises(InvalidStateError, match="Cannot throw BPMN error from TASK_LISTENER job"):
        cluster.engine.throw_error(job.job.key, code="e")
    cluster.engine.complete_job(job.job.key, {})
    assert cluster.intents("USER_TASK")[-1] == "CREATED"


@pytest.mark.parametrize(
    ("result", "commands"),
    [
        ({}, ["ASSIGN", "COMPLETE_TASK_LISTENER", "COMPLETE_TASK_LISTENER"]),
        ({"denied": True}, ["ASSIGN", "DENY_TASK_LISTENER"]),
    ],
    ids=["completed", "denied"],
)
def test_what_follows_a_listeners_answer_names_its_command(cluster, result, commands):
    """As in Zeebe each answer is a command about the task, and the last one's event follows it."""
    cluster.deploy(process(listeners("assigning", "assigning")))
    cluster.start()
    cluster.engine.assign_user_task(task_key(cluster), "demo")
    while jobs := cluster.jobs("listen"):
        cluster.engine.complete_job(jobs[0].job.key, {}, result)
    told = [r for r in cluster.records if r.value_type == "USER_TASK"]
    assert [r.intent for r in told if r.record_type == "COMMAND"] == commands
    assert told[-1].source_record_position == told[-2].position


def test_global_listeners_are_told_of_every_task_first(clock):
    """They need nothing in the model, and come before the task's own."""
    listener = TaskListener("creating", "global", 3)
    cluster = Cluster(clock, version="8.9", global_listeners=[listener])
    cluster.deploy(process(listeners("creating", job_type="own")))
    cluster.start()
    assert [cluster.complete(each) for each in ("own", "global", "own")] == [0, 1, 1]
    assert cluster.intents("USER_TASK")[-1] == "CREATED"


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (b.user("approve", listeners("starting")), "unknown task listener event 'starting'"),
        (b.user("approve", listeners("creating", job_type="=x")), "fixed type"),
        (b.node("userTask", "approve", "", listeners("creating")), "need zeebe:userTask"),
        (b.node("serviceTask", "approve", "", listeners("creating")), "belong to user tasks"),
    ],
)
def test_listeners_that_cannot_be_run_are_refused(cluster, task, words):
    """A deployment names what is wrong with a listener."""
    content = b.bpmn(b.start(), task, b.end(), b.chain("start", "approve", "end"))
    with pytest.raises(DevstackError, match=words):
        cluster.engine.deploy([Resource("file.bpmn", content)])
