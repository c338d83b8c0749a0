"""The API v1 and its log-in, used by a client that nobody here wrote: Camunda's Node SDK."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from devstack.engine import JobRequest
from devstack.stack import StackOptions
from devstack.testing import EmbeddedCluster
from tests.kit.modeler import ROOT
from tests.kit.waiting import PATIENCE_S

SCRIPT = Path(__file__).with_name("sdk.mjs")


def stick(stack):
    """Fail the one job that waits, for good."""
    request = JobRequest(type="charge-card", worker="test", timeout_ms=60_000, max_jobs=1)
    (job,) = stack.engine.activate_jobs(request)
    stack.engine.fail_job(job.job.key, retries=0, message="declined")


@pytest.mark.slow
def test_camundas_node_client_reads_pages_and_deletes():
    """Every call of its Operate client gives what the cluster did, with keys beyond 2^53."""
    with EmbeddedCluster.running(StackOptions(port_base=0, partitions=8)) as camunda:
        camunda.deploy(ROOT / "bpmn" / "examples" / "order.bpmn")
        stuck, ended = (camunda.start("order", {"orderId": "A-1", "total": 2}) for _ in range(2))
        camunda.call(stick)
        camunda.call(lambda stack: stack.engine.cancel_instance(ended))
        operate_url = camunda.call(lambda stack: stack.operate_url)
        done = subprocess.run(
            ["node", SCRIPT, operate_url, camunda.token_url, str(stuck), str(ended)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            cwd=ROOT,
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    definition = found.pop("definition")
    assert (definition["bpmnProcessId"], definition["name"]) == ("order", "Order")
    assert found.pop("xml") > 1000
    assert found.pop("incident")[:2] == ["JOB_NO_RETRIES", "declined"]
    assert found == {
        "pages": [[str(stuck)], [str(ended)]],
        "total": "2",
        "state": ["ACTIVE", True],
        "variables": {"orderId": "A-1", "total": 2},
        "nodes": [
            ["StartEvent_Placed", "Order placed", "COMPLETED"],
            ["Task_ChargeCard", "Charge the card", "ACTIVE"],
        ],
        "statistics": [
            {
                "activityId": "StartEvent_Placed",
                "active": "0",
                "canceled": "0",
                "incidents": "0",
                "completed": "1",
            },
            {
                "activityId": "Task_ChargeCard",
                "active": "0",
                "canceled": "0",
                "incidents": "1",
                "completed": "0",
            },
        ],
        "flows": ["Flow_Placed_ChargeCard"],
        "decisions": [],
        "unknown": 404,
        "refused": "Invalid request",
        "deleted": "1",
    }
