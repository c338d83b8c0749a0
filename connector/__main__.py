"""The command line: `operate-connector run | check | health | render | version`."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from connector.check import check
from connector.errors import ConnectorError
from connector.providers import secret_sources
from connector.render import read_job_file, render
from connector.service import serve
from connector.settings import ConnectorSettings
from connector.usage import COMMANDS
from runtime import command_line, health, lifecycle
from runtime.clock import SystemClock
from runtime.errors import SettingsError
from runtime.http import HttpOptions, open_session
from runtime.lifecycle import ExitCode
from runtime.oauth import TokenCache
from runtime.settings import load

_LATER = ("facade", "migrate", "top")
"""Commands of the contract that a later version brings."""


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; gives the exit code that the help text explains."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in _LATER:
        print(f"{given[0]} is not available in this version", file=sys.stderr)
        return ExitCode.USAGE
    parsed = _parser().parse_args(given)
    match parsed.command:
        case "run":
            return _run(environ)
        case "check":
            return _check(environ)
        case "health":
            return _health(environ)
        case "render":
            return _render(parsed.job, environ)
        case _:
            print(command_line.installed_version())
            return ExitCode.FINE


def _parser() -> argparse.ArgumentParser:
    parser, commands = command_line.program(
        "operate-connector",
        "Answers BPMN service tasks that ask Camunda about its processes.",
        "Settings are environment variables: docs/reference/connector-settings.md. "
        "Exit codes: 0 fine, 1 failure at work, 2 wrong usage or settings. "
        "What a command does, reads and ends with: operate-connector COMMAND --help.",
    )
    added = {name: command_line.add(commands, name, told) for name, told in COMMANDS.items()}
    added["render"].add_argument(
        "job",
        type=Path,
        metavar="JOB.json",
        help='the job\'s variables as a JSON object, or a job with them under "variables"',
    )
    return parser


def _run(environ: Mapping[str, str]) -> int:
    try:
        settings = load(ConnectorSettings, environ)
    except SettingsError as error:
        return lifecycle.report(error)
    return serve(settings, environ)


def _check(environ: Mapping[str, str]) -> int:
    try:
        settings = load(ConnectorSettings, environ)
    except SettingsError as error:
        for fault in error.faults:
            print(f"FAIL settings: {fault}")
        return ExitCode.FAILURE
    return asyncio.run(_print_findings(settings, environ))


async def _print_findings(settings: ConnectorSettings, environ: Mapping[str, str]) -> int:
    all_fine = True
    async for finding in check(settings, environ):
        print(finding, flush=True)
        all_fine = all_fine and finding.is_fine
    return ExitCode.FINE if all_fine else ExitCode.FAILURE


def _health(environ: Mapping[str, str]) -> int:
    try:
        port = load(ConnectorSettings, environ).management_port
    except SettingsError as error:
        return lifecycle.report(error)
    problem = asyncio.run(health.ask(f"http://localhost:{port}"))
    if problem is None:
        print("alive")
        return ExitCode.FINE
    print(problem, file=sys.stderr)
    return ExitCode.FAILURE


def _render(path: Path, environ: Mapping[str, str]) -> int:
    try:
        settings = load(ConnectorSettings, environ)
        print(asyncio.run(_rendered(path, settings, environ)))
    except SettingsError as error:
        return lifecycle.report(error)
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)
        return ExitCode.USAGE
    except ConnectorError as error:
        print(error.message, file=sys.stderr)
        return ExitCode.FAILURE
    return ExitCode.FINE


async def _rendered(path: Path, settings: ConnectorSettings, environ: Mapping[str, str]) -> str:
    clock = SystemClock()
    options = HttpOptions(ca_file=settings.ca_file, proxies=settings.proxies())
    async with (
        open_session(options) as session,
        TokenCache(session, clock, random.random) as tokens,
    ):
        sources = secret_sources(settings, environ, session, tokens, clock)
        return await render(
            read_job_file(path),
            sources,
            settings.policy,
            upstream_secrets=settings.upstream_secrets,
        )


if __name__ == "__main__":
    sys.exit(main())
