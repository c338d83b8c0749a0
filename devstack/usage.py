"""What `--help` of each command tells."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from runtime.command_line import Help

_WRONG: Final = "wrong usage"

COMMANDS: Final[Mapping[str, Help]] = MappingProxyType(
    {
        "run": Help(
            summary="be a cluster until SIGTERM or SIGINT",
            does="Listens where a Camunda cluster does, with an empty engine in memory, and prints "
            "what listens where and which variables lead clients to it. Everything is forgotten "
            "at the end. A page that shows what is deployed and running is at the HTTP port.",
            settings="options only; DEVSTACK_PUSH_KEY is the key of --push",
            exit_codes={
                0: "it was told to stop",
                1: "a port is taken, or a file cannot be written",
                2: _WRONG,
            },
            example="camunda-devstack run --version 8.6\n"
            "camunda-devstack run --port-base 0 --records records.jsonl",
        ),
        "deploy": Help(
            summary="deploy BPMN files and forms",
            does="Deploys all files together to a running cluster, ours or any without "
            "authentication, and prints what each became.",
            settings="none",
            exit_codes={
                0: "all are deployed",
                1: "the cluster is away or refuses one, and so takes none",
                2: "wrong usage, or a file is not there",
            },
            example="camunda-devstack deploy bpmn/examples/*.bpmn bpmn/examples/*.form",
        ),
        "start": Help(
            summary="start an instance of a process",
            does="Starts an instance of a process's latest version and prints its key; with "
            "--wait, key and variables as JSON once it has ended.",
            settings="none",
            exit_codes={
                0: "it is started; with --wait, it has ended",
                1: "the cluster is away or refuses, or the instance did not end in time",
                2: _WRONG,
            },
            example="camunda-devstack start order --variables '{\"total\": 42}' --wait",
        ),
        "version": Help(
            summary="print the version",
            does="Prints the version of this program and nothing else, as --version does. Which "
            "Camunda it stands in for is chosen by `run --version`.",
            settings="none",
            exit_codes={0: "always"},
            example="camunda-devstack version",
        ),
    }
)
