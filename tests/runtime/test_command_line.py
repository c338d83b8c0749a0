"""The help of our programs: what a person needs stands in it, and its examples are taken."""

from __future__ import annotations

import shlex

import pytest

from connector.__main__ import _parser as connector_parser
from connector.__main__ import main as connector
from connector.usage import COMMANDS as CONNECTOR
from devstack.__main__ import _parser as devstack_parser
from devstack.__main__ import main as devstack
from devstack.usage import COMMANDS as DEVSTACK
from exporter.__main__ import _parser as exporter_parser
from exporter.__main__ import main as exporter
from exporter.usage import COMMANDS as EXPORTER
from exporter.usage import DEAD_LETTERS
from runtime import command_line

PROGRAMS = {
    "operate-connector": connector_parser,
    "app-integrations-exporter": exporter_parser,
    "camunda-devstack": devstack_parser,
}
COMMANDS = [
    *(("operate-connector", (name,), told) for name, told in CONNECTOR.items()),
    *(("app-integrations-exporter", (name,), told) for name, told in EXPORTER.items()),
    *(
        ("app-integrations-exporter", ("dead-letters", name), told)
        for name, told in DEAD_LETTERS.items()
    ),
    *(("camunda-devstack", (name,), told) for name, told in DEVSTACK.items()),
]
IDS = [" ".join((program, *command)) for program, command, _ in COMMANDS]


def called(program, example):
    """The arguments of each call of a program in an example, as a shell would give them."""
    joined = example.replace("\\\n", " ")
    words = [word for line in joined.splitlines() if program in line for word in shlex.split(line)]
    calls = []
    for word in words:
        if word == program:
            calls.append([])
        elif calls and word != "&&":
            calls[-1].append(word)
    return calls


@pytest.mark.parametrize("main", [connector, exporter, devstack])
def test_the_version_is_told_either_way(main, capsys):
    """`--version` and `version` print the same: the version and nothing else."""
    with pytest.raises(SystemExit) as ending:
        main(["--version"])
    assert ending.value.code == 0
    assert main(["version"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second == command_line.installed_version()


@pytest.mark.parametrize(("program", "command", "told"), COMMANDS, ids=IDS)
def test_a_command_explains_itself(program, command, told, capsys, monkeypatch):
    """Its help has what it does, settings, exit codes and an example, within a terminal's width."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ending:
        PROGRAMS[program]().parse_args([*command, "--help"])
    assert ending.value.code == 0
    help_ = capsys.readouterr().out
    text = " ".join(help_.split())
    assert told.does in text
    assert f"settings: {told.settings}" in text
    assert all(f"{code} {when}" in text for code, when in told.exit_codes.items())
    assert " ".join(told.example.split()) in text
    assert max(map(len, help_.splitlines())) <= 80
    assert help_.isascii()


@pytest.mark.parametrize(("program", "command", "told"), COMMANDS, ids=IDS)
def test_an_example_can_be_typed(program, command, told, tmp_path, monkeypatch):
    """The program takes the command lines of the example, which are of this command."""
    folder = tmp_path / "bpmn" / "examples"
    folder.mkdir(parents=True)
    for ending in ("bpmn", "form"):
        (folder / f"*.{ending}").touch()
    monkeypatch.chdir(tmp_path)
    calls = called(program, told.example)
    assert calls
    for arguments in calls:
        PROGRAMS[program]().parse_args(arguments)
    assert any(tuple(arguments[: len(command)]) == command for arguments in calls)
