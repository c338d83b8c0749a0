"""What `--help` of each command tells."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from runtime.command_line import Help

_ALL: Final = "all of docs/reference/connector-settings.md"
_WRONG: Final = "wrong usage or settings; every fault is told"

COMMANDS: Final[Mapping[str, Help]] = MappingProxyType(
    {
        "run": Help(
            summary="work on jobs until SIGTERM or Ctrl-C, then drain",
            does="Takes the jobs of our own element template, and with "
            "CONNECTOR_OFFICIAL_TEMPLATES those of Camunda's, and answers each from the Operate "
            "API. A gateway that is away is waited for. Told to stop, it takes no more jobs, "
            "finishes those it has within CONNECTOR_DRAIN_DEADLINE, and hands the rest back. The "
            "log goes to stderr; health, metrics and a status page are at "
            "CONNECTOR_MANAGEMENT_PORT.",
            settings=_ALL,
            exit_codes={
                0: "it was told to stop, and did",
                1: "it failed, or did not end in time; the last line of the log says why",
                2: _WRONG,
            },
            example="CAMUNDA_CLIENT_GRPC_ADDRESS=http://localhost:26500 \\\n"
            "SECRET_OPERATE_CLIENT_ID=... SECRET_OPERATE_CLIENT_SECRET=... \\\n"
            "operate-connector run",
        ),
        "check": Help(
            summary="test the settings and the connections that they name",
            does="Prints a line for each thing that it looks at, which begins with ok, note or "
            "FAIL: the settings, where secrets come from, the gateway with its token and its "
            "version. It takes no jobs.",
            settings=_ALL,
            exit_codes={
                0: "no line says FAIL",
                1: "one does; wrong settings too are told this way",
                2: "wrong usage",
            },
            example="operate-connector check && operate-connector run",
        ),
        "health": Help(
            summary="ask the running service whether it is alive",
            does="Asks /livez of the service on this machine, as a container's health check does. "
            "A service that waits for its gateway is alive; whether it can work says /readyz.",
            settings="CONNECTOR_MANAGEMENT_PORT (9601), the same as the service's",
            exit_codes={
                0: "it is alive",
                1: "it is not, or nothing answers on that port",
                2: _WRONG,
            },
            example="operate-connector health",
        ),
        "render": Help(
            summary="print the HTTP request that a job would make, secrets masked, without "
            "sending it",
            does="Reads a job's inputs from a file, fills its secrets in and prints method, URL, "
            "headers and body; where a secret was, there is ***. What is wrong with the inputs "
            "is told as the incident would tell it.",
            settings="those on secrets, CONNECTOR_ALLOWED_HOSTS, CONNECTOR_ALLOW_DELETE, "
            "CONNECTOR_API",
            exit_codes={
                0: "the request is printed",
                1: "the job would fail before it asks, and stderr says why",
                2: "wrong usage or settings, or the file cannot be read",
            },
            example="cat > job.json <<'END'\n"
            '{"cluster": {"deployment": "selfManaged",\n'
            '             "operateUrl": "http://localhost:8081"},\n'
            ' "authentication": {"type": "basic", "username": "demo",\n'
            '                    "password": "{{secrets.PASSWORD}}"},\n'
            ' "request": {"endpoint": "incidents", "operation": "search"}}\n'
            "END\n"
            "SECRET_PASSWORD=demo operate-connector render job.json",
        ),
        "version": Help(
            summary="print the version",
            does="Prints the version of this program and nothing else, as --version does.",
            settings="none",
            exit_codes={0: "always"},
            example="operate-connector version",
        ),
    }
)
