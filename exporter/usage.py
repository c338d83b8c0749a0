"""What `--help` of each command tells."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from runtime.command_line import Help

_ALL: Final = "all of docs/reference/exporter-settings.md"
_STATE: Final = "APP_INTEGRATIONS_STATE_DIR (./state), the same as the service's"
_PORT: Final = "APP_INTEGRATIONS_MANAGEMENT_PORT (9602)"
_WRONG: Final = "wrong usage or settings; every fault is told"

COMMANDS: Final[Mapping[str, Help]] = MappingProxyType(
    {
        "run": Help(
            summary="deliver until SIGTERM or Ctrl-C, then drain",
            does="Reads Zeebe's records from the source and delivers the events in them to the "
            "backend, in order, at least once. It goes on where it ended, or at the source's "
            "beginning when it never ran. A source or a backend that is away is waited for. Told "
            "to stop, it sends what it has read within APP_INTEGRATIONS_DRAIN_DEADLINE; what is "
            "left then is sent after the next start. The log goes to stderr.",
            settings=_ALL,
            exit_codes={
                0: "it was told to stop, and did",
                1: "it failed: another one has the state, or the state cannot be read; the last "
                "line of the log says why",
                2: _WRONG,
            },
            example="APP_INTEGRATIONS_SOURCE=elasticsearch+http://localhost:9200 \\\n"
            "APP_INTEGRATIONS_URL=https://backend.example/events \\\n"
            "APP_INTEGRATIONS_API_KEY=... \\\n"
            "app-integrations-exporter run",
        ),
        "check": Help(
            summary="test the settings and what they name",
            does="Prints a line for each thing that it looks at, which begins with ok or FAIL: "
            "the settings, the state, the source, the token, the backend. It delivers nothing, and "
            "makes or changes nothing, here or at the source.",
            settings=_ALL,
            exit_codes={
                0: "no line says FAIL",
                1: "one does; wrong settings too are told this way",
                2: "wrong usage",
            },
            example="app-integrations-exporter check && app-integrations-exporter run",
        ),
        "health": Help(
            summary="ask the running service whether it is alive",
            does="Asks /livez of the service on this machine, as a container's health check does. "
            "A service that waits for its backend is alive; whether it gets on says /readyz.",
            settings=f"{_PORT}, the same as the service's",
            exit_codes={
                0: "it is alive",
                1: "it is not, or nothing answers on that port",
                2: _WRONG,
            },
            example="app-integrations-exporter health",
        ),
        "status": Help(
            summary="print how far each partition is",
            does="Prints for each partition up to which position all is delivered and what is "
            "being sent, how many dead letters there are, and whether the service is alive. It "
            "reads the state's file, whether or not the service runs.",
            settings=f"{_STATE}; {_PORT}",
            exit_codes={0: "it is printed", 1: "there is no state in that directory", 2: _WRONG},
            example="APP_INTEGRATIONS_STATE_DIR=/var/lib/exporter app-integrations-exporter status",
        ),
        "version": Help(
            summary="print the version",
            does="Prints the version of this program and nothing else, as --version does.",
            settings="none",
            exit_codes={0: "always"},
            example="app-integrations-exporter version",
        ),
        "dead-letters": Help(
            summary="look at what was set aside, and send it again",
            does="With APP_INTEGRATIONS_CONTINUE_ON_ERROR a batch that the backend refuses for "
            "good is set aside as a dead letter. These commands work while the service runs and "
            "while it does not.",
            settings=f"{_STATE}; `redrive` reads all of docs/reference/exporter-settings.md",
            exit_codes={
                0: "what was asked for is printed, or all was delivered",
                1: "there is no such letter or no state, or something was not delivered",
                2: _WRONG,
            },
            example="app-integrations-exporter dead-letters list\n"
            "app-integrations-exporter dead-letters redrive 7-12 --dry-run",
        ),
    }
)

DEAD_LETTERS: Final[Mapping[str, Help]] = MappingProxyType(
    {
        "list": Help(
            summary="print one line for each",
            does="Prints the dead letters, the oldest first: when and why each was set aside, its "
            "partition and positions, its size.",
            settings=_STATE,
            exit_codes={
                0: "they are printed, or there are none",
                1: "there is no state in that directory",
                2: _WRONG,
            },
            example="app-integrations-exporter dead-letters list",
        ),
        "show": Help(
            summary="print one, its events included",
            does="Prints one as JSON: status and headers of the backend's answer, and the body "
            "that was sent, whose events may hold personal data.",
            settings=_STATE,
            exit_codes={
                0: "it is printed",
                1: "there is none with this id, or no state in that directory",
                2: _WRONG,
            },
            example="app-integrations-exporter dead-letters show 7",
        ),
        "redrive": Help(
            summary="send them to the backend again; what it takes is removed",
            does="Sends one, a range or all, each with the key of its first try. What the backend "
            "takes is removed; what it refuses again is kept.",
            settings=_ALL,
            exit_codes={
                0: "all were delivered; with --dry-run, all could be sent",
                1: "some were not, and a line says why for each; or there is none with this id",
                2: _WRONG,
            },
            example="app-integrations-exporter dead-letters redrive --all --dry-run\n"
            "app-integrations-exporter dead-letters redrive 7",
        ),
    }
)
