"""The record stream as JSON lines, and the records as real ones look."""

from __future__ import annotations

import orjson
import pytest

from devstack.engine import Engine, JobRequest, Resource
from devstack.record_file import RecordFile
from devstack.records import RecordLog
from tests.kit import bpmn as b

_PROCESS = b.bpmn(
    b.start(),
    b.service("charge", type="charge-card", inputs=[("=a * a", "square")]),
    b.user("approve"),
    b.end(),
    b.chain("start", "charge", "approve", "end"),
    id="order-process",
)


@pytest.fixture
def lines(tmp_path, clock):
    """The lines of a process with a failed job, a user task and a large number."""
    path = tmp_path / "records.jsonl"
    file = RecordFile(path)
    log = RecordLog()
    log.subscribe(file.write)
    engine = Engine(log, clock)
    engine.deploy([Resource("order.bpmn", _PROCESS)])
    engine.create_instance(process_id="order-process", variables={"a": 9007199254740993})
    [given] = engine.activate_jobs(JobRequest("charge-card", "w", 1000, 1))
    engine.fail_job(given.job.key, retries=0, message="card declined")
    written = path.read_bytes()
    file.close()
    file.close()
    return written


def test_each_record_is_a_line_at_once(lines):
    """Every record so far stands in the file, one a line, before the file is closed."""
    records = [orjson.loads(line) for line in lines.splitlines()]
    assert lines.endswith(b"\n")
    assert [record["position"] for record in records] == list(range(1, len(records) + 1))
    assert records[-1]["valueType"] == "INCIDENT"


def test_large_integers_are_written_exactly(lines):
    """A number past 64 bits is written with all its digits."""
    assert b'"square":81129638414606699710187514626049' in lines


def test_a_file_is_continued(tmp_path, clock):
    """What stands in the file stays there when it is opened again."""
    path = tmp_path / "records.jsonl"
    for _ in range(2):
        file = RecordFile(path)
        log = RecordLog()
        log.subscribe(file.write)
        Engine(log, clock).deploy([Resource("order.bpmn", _PROCESS)])
        file.close()
    assert len(path.read_bytes().splitlines()) == 6
