"""The command line: exit codes, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from devstack.__main__ import main
from tests.kit.user_task import APPROVAL
from tests.kit.waiting import PATIENCE_S

QUICK = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    targetNamespace="test" id="file">
  <bpmn:process id="quick" isExecutable="true">
    <bpmn:startEvent id="start"><bpmn:outgoing>on</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="on" sourceRef="start" targetRef="end" />
    <bpmn:endEvent id="end"><bpmn:incoming>on</bpmn:incoming></bpmn:endEvent>
  </bpmn:process>
</bpmn:definitions>"""


def command(*arguments):
    return [sys.executable, "-m", "devstack", *map(str, arguments)]


def call(*arguments):
    done = subprocess.run(command(*arguments), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def files(tmp_path):
    paths = {"approval.bpmn": APPROVAL, "quick.bpmn": QUICK, "seed.json": '{"variables": []}'}
    for name, text in paths.items():
        (tmp_path / name).write_text(text)
    return tmp_path


class Running:
    """`camunda-devstack run` as a process of its own, on free ports."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            command("run", "--port-base", 0, *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": ""},
        )
        self.lines = []
        while not self.lines or "Stop it" not in self.lines[-1]:
            line = self.process.stdout.readline()
            if not line:
                pytest.fail(self.process.stderr.read())
            self.lines.append(line.strip())

    @property
    def environment(self):
        exports = (line.removeprefix("export ") for line in self.lines if "export" in line)
        return dict(export.split("=", 1) for export in exports)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, errors


@pytest.fixture
def running():
    running = Running()
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_signal_ends_it_well(running, number):
    """Exit 0 without a word on stderr."""
    assert running.stop(number) == (0, "")


@pytest.mark.slow
def test_it_prints_what_to_export(running):
    """What listens where, as environment that clients understand."""
    environment = running.environment
    assert environment["CAMUNDA_CLIENT_GRPC_ADDRESS"].startswith("http://localhost:")
    assert environment["CAMUNDA_CLIENT_AUTH_METHOD"] == "none"
    assert environment["CAMUNDA_CLIENT_AUTH_TOKEN_URL"].endswith("/openid-connect/token")


@pytest.mark.slow
def test_deploy_and_start_talk_to_a_running_one(running, files):
    """Deploy prints what each file became; start prints the key, or waits for the variables."""
    address = ("--address", running.environment["ZEEBE_ADDRESS"])
    paths = [files / "approval.bpmn", files / "quick.bpmn"]
    code, printed, _ = call("deploy", *paths, *address)
    assert code == 0
    assert [line.split(" key ")[0] for line in printed.splitlines()] == [
        "approval.bpmn: process approval version 1",
        "quick.bpmn: process quick version 1",
    ]
    code, printed, _ = call("start", "approval", *address)
    assert (code, int(printed) > 0) == (0, True)
    code, printed, _ = call("start", "quick", "--variables", '{"a": 1}', "--wait", *address)
    assert (code, json.loads(printed)["variables"]) == (0, {"a": 1})


@pytest.mark.slow
def test_tenants_of_the_command_line_are_those_of_the_gateway(files):
    """With tenants a deployment names one of them; what it may not name is refused."""
    running = Running("--tenant", "red", "--tenant", "blue")
    try:
        address = ("--address", running.environment["ZEEBE_ADDRESS"])
        assert call("deploy", files / "quick.bpmn", *address, "--tenant", "red")[0] == 0
        assert call("start", "quick", *address, "--tenant", "red", "--wait")[0] == 0
        for tenant, status in (("blue", "NOT_FOUND"), ("green", "PERMISSION_DENIED")):
            code, _, errors = call("start", "quick", *address, "--tenant", tenant)
            assert (code, status in errors) == (1, True)
        code, _, errors = call("start", "quick", *address)
        assert (code, "INVALID_ARGUMENT" in errors) == (1, True)
    finally:
        running.stop()


@pytest.mark.slow
def test_an_instance_that_does_not_end_is_told_after_a_time(running, files):
    """Waiting ends with the reason and exit 1 when a task has nobody to do it."""
    address = ("--address", running.environment["ZEEBE_ADDRESS"])
    call("deploy", files / "approval.bpmn", *address)
    code, printed, errors = call("start", "approval", "--wait", "--timeout", "1", *address)
    assert (code, printed) == (1, "")
    assert "did not end within 1 s" in errors


@pytest.mark.slow
def test_what_the_cluster_refuses_is_exit_1(running, files):
    """The status and the reason, on stderr, in one line."""
    address = ("--address", running.environment["ZEEBE_ADDRESS"])
    (files / "broken.bpmn").write_text("<bpmn")
    for arguments, reason in [
        (("deploy", files / "broken.bpmn"), "INVALID_ARGUMENT"),
        (("start", "nothing"), "NOT_FOUND"),
        (("start", "nothing", "--variables", "[1]"), "INVALID_ARGUMENT"),
    ]:
        code, printed, errors = call(*arguments, *address)
        assert (code, printed) == (1, "")
        assert errors.startswith(f"camunda-devstack: {reason}")


@pytest.mark.slow
def test_a_cluster_that_is_away_is_exit_1(files):
    """Nobody listens: the reason says so."""
    code, _, errors = call("start", "quick", "--address", "localhost:1")
    assert code == 1
    assert "UNAVAILABLE" in errors


def test_records_that_cannot_be_written_are_exit_1(capsys, tmp_path):
    """The message names the file, and no port."""
    path = tmp_path / "nowhere" / "records.jsonl"
    assert main(["run", "--port-base", "0", "--records", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"camunda-devstack: cannot write {path}: No such")


@pytest.mark.slow
def test_a_taken_port_is_exit_1(running):
    """The message says that it cannot listen."""
    gateway = int(running.environment["ZEEBE_ADDRESS"].split(":")[1])
    code, _, errors = call("run", "--port-base", gateway - 3)
    assert code == 1
    assert errors.startswith("camunda-devstack: cannot listen")
    assert "--port-base" in errors


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "COMMAND"),
        (["rum"], "invalid choice"),
        (["run", "--version", "7.21"], "8.3 to 8.10"),
        (["run", "--partitions", "0"], "at least 1"),
        (["run", "--partitions", "many"], "must be a whole number"),
        (["run", "--port-base", "x"], "must be a whole number"),
        (["run", "--read-delay", "soon"], "zero or more"),
        (["run", "--token-life", "inf"], "zero or more"),
        (["run", "--port-base", "70000"], "0 to 65530"),
        (["run", "--seed", "nowhere.json"], "nowhere.json"),
        (["run", "--read-delay", "-1"], "zero or more"),
        (["run", "--token-life", "nan"], "zero or more"),
        (["run", "--tenant", "a b"], "a tenant is"),
        (["run", "--tenant", "x" * 32], "up to 31"),
        (["run", "--global-listener", "tell"], "--version 8.9"),
        (["run", "--push", "somewhere"], "begins with http:// or https://"),
        (["run", "--redis", "http://somewhere"], "begins with redis:// or rediss://"),
        (["deploy"], "FILE"),
        (["deploy", "nowhere.bpmn"], "is no file"),
        (["start"], "PROCESS_ID"),
    ],
)
def test_wrong_usage_is_exit_2(capsys, arguments, reason):
    """What is wrong stands in the message."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


def test_a_wrong_seed_is_exit_2(capsys, files):
    """The place in the file is named."""
    (files / "seed.json").write_text('{"variables": [{"name": "a"}]}')
    with pytest.raises(SystemExit) as ended:
        main(["run", "--seed", str(files / "seed.json")])
    assert ended.value.code == 2
    assert "variables[0]: has no key" in capsys.readouterr().err
