"""The command line: `app-integrations-exporter run | check | health | status | dead-letters …`."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Mapping, Sequence

from exporter import letters_command, status_command
from exporter.check import check
from exporter.service import PROGRAM, Begin, serve
from exporter.settings import ExporterSettings, ServiceSettings, load_settings
from exporter.usage import COMMANDS, DEAD_LETTERS
from runtime import command_line, health, lifecycle
from runtime.errors import ServiceError, SettingsError
from runtime.lifecycle import ExitCode
from runtime.settings import load

_POSITION = re.compile(r"(\d{1,4}):(\d{1,18})", re.ASCII)
_RANGE = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?", re.ASCII)


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; gives the exit code that the help text explains."""
    parsed = _parser().parse_args(arguments)
    try:
        return _run(parsed, environ)
    except SettingsError as error:
        if parsed.command != "check":
            return lifecycle.report(error)
        for fault in error.faults:
            print(f"FAIL settings: {fault}")
        return ExitCode.FAILURE
    except ServiceError as error:  # of a command for people; the service logs its own
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return ExitCode.FAILURE


def _run(parsed: argparse.Namespace, environ: Mapping[str, str]) -> int:
    match parsed.command:
        case "run":
            begin = Begin(parsed.from_beginning, dict(parsed.from_position or ()))
            return serve(load_settings(environ), environ, begin)
        case "check":
            return asyncio.run(_check(load_settings(environ)))
        case "health":
            return _health(load(ServiceSettings, environ))
        case "status":
            return asyncio.run(status_command.show(load(ServiceSettings, environ)))
        case "dead-letters":
            return _dead_letters(parsed, environ)
        case _:
            print(command_line.installed_version())
            return ExitCode.FINE


def _parser() -> argparse.ArgumentParser:
    parser, commands = command_line.program(
        PROGRAM,
        "Delivers Zeebe's user task events to the App Integrations backend, none lost.",
        "Settings are environment variables: docs/reference/exporter-settings.md. "
        "Exit codes: 0 fine, 1 failure at work, 2 wrong usage or settings. "
        f"What a command does, reads and ends with: {PROGRAM} COMMAND --help.",
    )
    added = {name: command_line.add(commands, name, told) for name, told in COMMANDS.items()}
    begin = added["run"].add_mutually_exclusive_group()
    begin.add_argument(
        "--from-beginning",
        action="store_true",
        help="forget all positions and begin with the oldest record there is",
    )
    begin.add_argument(
        "--from-position",
        action="append",
        type=_position,
        metavar="P:N",
        help="read partition P from position N on; may be given for several partitions",
    )
    _add_dead_letters(added["dead-letters"])
    return parser


def _add_dead_letters(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    added = {name: command_line.add(actions, name, told) for name, told in DEAD_LETTERS.items()}
    added["show"].add_argument("id", type=int, metavar="ID", help="as `list` prints it")
    which = added["redrive"].add_mutually_exclusive_group(required=True)
    which.add_argument(
        "ids", nargs="?", type=_range, metavar="ID|FIRST-LAST", help="one, or from one to another"
    )
    which.add_argument("--all", action="store_true", help="every one")
    added["redrive"].add_argument("--dry-run", action="store_true", help="say what would be sent")


def _position(text: str) -> tuple[int, int]:
    match = _POSITION.fullmatch(text)
    if match is None or int(match[1]) < 1:
        raise argparse.ArgumentTypeError("write PARTITION:POSITION, such as 1:4711")
    return int(match[1]), int(match[2])


def _range(text: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError("write an id such as 7, or a range such as 7-12")
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise argparse.ArgumentTypeError("the range ends before it begins")
    return first, last


async def _check(settings: ExporterSettings) -> int:
    all_fine = True
    async for finding in check(settings):
        print(finding, flush=True)
        all_fine = all_fine and finding.is_fine
    return ExitCode.FINE if all_fine else ExitCode.FAILURE


def _health(settings: ServiceSettings) -> int:
    problem = asyncio.run(health.ask(f"http://localhost:{settings.management_port}"))
    if problem is None:
        print("alive")
        return ExitCode.FINE
    print(problem, file=sys.stderr)
    return ExitCode.FAILURE


def _dead_letters(parsed: argparse.Namespace, environ: Mapping[str, str]) -> int:
    match parsed.action:
        case "list":
            return asyncio.run(letters_command.show_list(load(ServiceSettings, environ)))
        case "show":
            return asyncio.run(letters_command.show_one(load(ServiceSettings, environ), parsed.id))
        case _:
            ids = None if parsed.all else parsed.ids
            return asyncio.run(
                letters_command.drive(load_settings(environ), ids, dry_run=parsed.dry_run)
            )


if __name__ == "__main__":
    sys.exit(main())
