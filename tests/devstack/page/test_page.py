"""The page's data over HTTP, and the page itself in Chromium."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import aiohttp
import grpc
import pytest
from pyzeebe.proto.gateway_pb2 import ActivateJobsRequest, FailJobRequest, ThrowErrorRequest
from pyzeebe.proto.gateway_pb2_grpc import GatewayStub

from devstack.operate.seeds import read_seeds
from devstack.page.routes import STATIC
from devstack.stack import StackOptions
from devstack.testing import EmbeddedCluster
from tests.kit.modeler import ROOT, chromium
from tests.kit.user_task import APPROVAL
from tests.kit.waiting import PATIENCE_S

EXAMPLES = ROOT / "bpmn" / "examples"
BROWSER = Path(__file__).with_name("look.mjs")


@pytest.fixture
def camunda():
    # From the fourth partition on keys pass 2^53, where a browser's numbers lose digits.
    with EmbeddedCluster.running(StackOptions(port_base=0, partitions=5)) as cluster:
        yield cluster


@pytest.fixture
async def session(camunda):
    async with aiohttp.ClientSession(camunda.http_url) as session:
        yield session


async def get(session, path):
    async with session.get(f"/devstack/{path}") as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def take_job(camunda):
    """Take the one job that waits, and leave it with the worker."""
    async with grpc.aio.insecure_channel(camunda.grpc_address) as channel:
        request = ActivateJobsRequest(
            type="charge-card",
            worker="test",
            timeout=60_000,
            maxJobsToActivate=1,
            requestTimeout=1_000,
        )
        async for answer in GatewayStub(channel).ActivateJobs(request):
            return answer.jobs[0].key
    raise AssertionError("no job came")


async def answer_job(camunda, call, request):
    async with grpc.aio.insecure_channel(camunda.grpc_address) as channel:
        await getattr(GatewayStub(channel), call)(request)


def deploy_approval(camunda, folder):
    drawn = folder / "approval.bpmn"
    drawn.write_text(APPROVAL)
    camunda.deploy(drawn)


async def test_an_empty_cluster_has_no_processes(session):
    """The version and an empty list."""
    assert await get(session, "processes") == {"version": "8.8", "processes": []}


async def test_a_process_counts_its_instances(camunda, session):
    """Running, stuck and ended ones, and where the running ones stand; keys are text."""
    camunda.deploy(EXAMPLES / "order.bpmn")
    keys = [camunda.start("order", {"orderId": "A", "total": 1}) for _ in range(3)]
    job = await take_job(camunda)
    await answer_job(camunda, "FailJob", FailJobRequest(jobKey=job, errorMessage="declined"))
    camunda.call(lambda stack: stack.engine.cancel_instance(keys[2]))
    (process,) = (await get(session, "processes"))["processes"]
    assert (process["name"], process["version"]) == ("Order", 1)
    assert (process["active"], process["incidents"], process["ended"]) == (2, 1, 1)
    shown = await get(session, f"processes/{process['key']}")
    token = {"activityId": "Task_ChargeCard", "active": 1, "incidents": 1}
    assert shown["tokens"] == [token]
    states = [(each["state"], each["incident"]) for each in shown["instances"]]
    assert states == [("ACTIVE", True), ("ACTIVE", False), ("CANCELED", False)]
    assert {int(instance["key"]) for instance in shown["instances"]} == set(keys)
    async with session.get(f"/devstack/processes/{process['key']}/xml") as response:
        assert "<bpmn:process" in await response.text()


async def test_an_instance_shows_all_that_belongs_to_it(camunda, session):
    """Variables with their scope, the incident with its element, the job with its state."""
    camunda.deploy(EXAMPLES / "order.bpmn")
    key = camunda.start("order", {"orderId": "A", "total": 1})
    shown = await get(session, f"instances/{key}")
    assert [job["state"] for job in shown["jobs"]] == ["waiting"]
    job = await take_job(camunda)
    shown = await get(session, f"instances/{key}")
    assert [job["state"] for job in shown["jobs"]] == ["with a worker"]
    assert (shown["instance"]["key"], shown["incidents"]) == (str(key), [])
    assert {each["name"]: each["value"] for each in shown["variables"]} == {
        "orderId": '"A"',
        "total": "1",
    }
    assert shown["sequenceFlows"] == ["Flow_Placed_ChargeCard"]
    for retries, state in [(2, "failed"), (0, "failed for good")]:
        failure = FailJobRequest(jobKey=job, retries=retries, errorMessage="declined")
        await answer_job(camunda, "FailJob", failure)
        shown = await get(session, f"instances/{key}")
        assert [job["state"] for job in shown["jobs"]] == [state]
        job = job if retries == 0 else await take_job(camunda)
    (incident,) = shown["incidents"]
    assert (incident["elementId"], incident["message"]) == ("Task_ChargeCard", "declined")


BARE = {
    "process-definitions": [{"key": 1}],
    "process-instances": [{"key": 2, "processDefinitionKey": 1}],
    "flownode-instances": [{"key": 3, "processInstanceKey": 2}],
    "variables": [{"key": 4, "processInstanceKey": 2, "name": "bare"}],
    "incidents": [{"key": 5, "processInstanceKey": 2}],
}


async def test_entities_of_a_seed_file_may_lack_any_field(camunda, session):
    """A process without a name goes by its key, one without XML has an empty one; no 500."""
    camunda.call(lambda stack: stack.store.seed(read_seeds(BARE)))
    (process,) = (await get(session, "processes"))["processes"]
    assert (process["key"], process["bpmnProcessId"], process["version"]) == ("1", "1", 1)
    assert (await get(session, "processes/1"))["instances"][0]["key"] == "2"
    async with session.get("/devstack/processes/1/xml") as response:
        assert (response.status, await response.text()) == (200, "")
    shown = await get(session, "instances/2")
    assert (shown["incidents"], shown["variables"][0]["scope"]) == ([], "")


async def test_a_thrown_error_leaves_no_open_job(camunda, session):
    """What a worker has answered is no open work, whatever the answer."""
    camunda.deploy(EXAMPLES / "order.bpmn")
    key = camunda.start("order", {"orderId": "A", "total": 1})
    error = ThrowErrorRequest(jobKey=await take_job(camunda), errorCode="lost")
    await answer_job(camunda, "ThrowError", error)
    shown = await get(session, f"instances/{key}")
    assert (shown["jobs"], len(shown["incidents"])) == ([], 1)


async def test_a_user_task_is_completed_without_a_log_in(camunda, session, tmp_path):
    """The page's own path takes the completion; then the task is no open work any more."""
    deploy_approval(camunda, tmp_path)
    key = camunda.start("approval")
    (task,) = (await get(session, f"instances/{key}"))["userTasks"]
    assert (task["elementId"], task["assignee"]) == ("approve", "")
    async with session.post(f"/devstack/user-tasks/{task['key']}/completion") as response:
        assert response.status == 204
    shown = await get(session, f"instances/{key}")
    assert (shown["userTasks"], shown["instance"]["state"]) == ([], "COMPLETED")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("processes/1", 404),
        ("processes/x", 400),
        ("processes/1/xml", 404),
        ("instances/1", 404),
        ("instances/x", 400),
        ("page/../routes.py", 404),
    ],
)
async def test_what_is_not_there_is_not_found(session, path, status):
    """Unknown keys and files outside the page's folder."""
    async with session.get(f"/devstack/{path}") as response:
        assert response.status == status


@pytest.mark.slow  # it needs what npm installs
@pytest.mark.parametrize(
    "name",
    ["bpmn-navigated-viewer.production.min.js", "bpmn-js.css", "diagram-js.css", "LICENSE"],
)
def test_bpmn_js_is_as_it_was_published(name):
    """The vendored files are those of the npm package, and its licence lies beside them."""
    package = ROOT / "node_modules" / "bpmn-js"
    published = next(package.glob(f"**/{name}"))
    vendored = STATIC / "vendor" / "bpmn-js" / name
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (published, vendored)]
    assert digests[0] == digests[1]


def look(camunda, script):
    """Go through a list of steps in Chromium; gives what each `read` step found."""
    done = subprocess.run(
        ["node", BROWSER, chromium(), camunda.http_url, json.dumps(script)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_page_shows_bare_entities_of_a_seed_file(camunda):
    """What is missing is left blank, and what cannot be drawn says why."""
    camunda.call(lambda stack: stack.store.seed(read_seeds(BARE)))
    steps = [
        {"read": "#diagram"},
        {"click": "#instances tr:has-text('2')"},
        {"wait": "#instance h2"},
        {"read": "#instance"},
    ]
    diagram, instance = look(camunda, steps)
    assert "without its XML" in diagram
    assert "in no state" in instance


@pytest.mark.slow
async def test_the_page_shows_tokens_and_incidents_on_the_diagram(camunda):
    """Counts on the element, colour on the flow that was taken, and the watermark in full view."""
    camunda.deploy(EXAMPLES / "order.bpmn")
    keys = [camunda.start("order", {"orderId": "A", "total": 1}) for _ in range(3)]
    job = await take_job(camunda)
    await answer_job(camunda, "FailJob", FailJobRequest(jobKey=job, errorMessage="declined"))
    found = look(
        camunda,
        [
            {"read": "#processes"},
            {"read": ".token"},
            {"read": ".stuck"},
            {"visible": ".bjs-powered-by"},
            {"click": f"#instances tr:has-text('{keys[0]}')"},
            {"wait": f"#instance h2:has-text('{keys[0]}')"},
            {"read": "#instance"},
            {"count": ".djs-connection.taken"},
        ],
    )
    processes, tokens, stuck, watermark, instance, flows = found
    assert "3 running" in processes
    assert "1 of them stuck" in processes
    assert (tokens, stuck) == ("2", "1")
    assert watermark is True
    assert "orderId" in instance
    assert flows == 1


@pytest.mark.slow
async def test_the_page_opens_on_what_is_stuck(camunda, tmp_path):
    """A stuck process before running ones, and before those that only were deployed last."""
    camunda.deploy(EXAMPLES / "order.bpmn", EXAMPLES / "wait-for-process.bpmn")
    camunda.start("order", {"orderId": "A", "total": 1})
    deploy_approval(camunda, tmp_path)
    camunda.start("approval")
    (newest,) = look(camunda, [{"read": "#heading"}])
    failure = FailJobRequest(jobKey=await take_job(camunda), errorMessage="declined")
    await answer_job(camunda, "FailJob", failure)
    heading, chips = look(camunda, [{"read": "#heading"}, {"read": ".process:has-text('Order')"}])
    assert "approval" in newest
    assert "Order" in heading
    assert "1 running, stuck" in chips


@pytest.mark.slow
def test_the_versions_of_a_process_share_a_card(camunda, tmp_path):
    """One card counts the instances of all; below it each version can be chosen."""
    camunda.deploy(EXAMPLES / "order.bpmn")
    camunda.start("order", {"orderId": "A", "total": 1})
    changed = tmp_path / "order.bpmn"
    changed.write_text((EXAMPLES / "order.bpmn").read_text().replace("Order paid", "Paid"))
    camunda.deploy(changed)
    camunda.start("order", {"orderId": "B", "total": 1})
    count, card, heading, older = look(
        camunda,
        [
            {"count": ".process"},
            {"read": ".process"},
            {"read": "#heading"},
            {"click": ".version:text('v1')"},
            {"wait": "#heading:has-text('version 1')"},
            {"read": "#diagram"},
        ],
    )
    assert (count, "2 running" in card, "2 versions" in card) == (1, True, True)
    assert "version 2" in heading
    assert "Order paid" in older


@pytest.mark.slow
def test_the_diagram_is_on_the_first_screen_of_a_narrow_window(camunda):
    """At 600 pixels the processes are a row above it, however many there are."""
    examples = sorted(EXAMPLES.glob("*.bpmn"))
    camunda.deploy(*examples)
    found = look(camunda, [{"width": 600}, {"visible": "#diagram"}, {"count": ".process"}])
    assert found == [True, len(examples)]


@pytest.mark.slow
def test_a_user_task_is_completed_by_a_click(camunda, tmp_path):
    """Variables that are no JSON are refused in place; then the click ends the instance."""
    deploy_approval(camunda, tmp_path)
    key = camunda.start("approval")
    found = look(
        camunda,
        [
            {"click": f"#instances tr:has-text('{key}')"},
            {"click": "#instance summary"},
            {"fill": "#instance textarea", "text": "{approved"},
            {"click": "#instance button.main"},
            {"read": "#instance .fault"},
            {"fill": "#instance textarea", "text": '{"approved": true}'},
            {"click": "#instance button.main"},
            {"wait": "#instance .chip.completed"},
            {"read": "#instance"},
        ],
    )
    assert "no JSON" in found[0]
    assert "approved" in found[1]
    assert camunda.instance(key).variables == {"approved": True}


@pytest.mark.slow
def test_a_process_that_cannot_be_drawn_says_so(camunda, tmp_path):
    """BPMN without a diagram runs, and the page tells why it shows none."""
    deploy_approval(camunda, tmp_path)
    (text,) = look(camunda, [{"read": "#diagram"}])
    assert "cannot be drawn" in text


@pytest.mark.slow
def test_an_empty_page_says_what_to_do(camunda):
    """A new user is told the next command."""
    (text,) = look(camunda, [{"read": "#processes"}])
    assert "camunda-devstack deploy" in text
