"""The command line: `camunda-devstack run | deploy | start | version`."""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from devstack.bpmn.model import TaskListener
from devstack.bpmn.task_listeners import DEFAULT_RETRIES, EVENTS
from devstack.commands import CommandError, deploy, run, start
from devstack.gateway.tenants import parse_tenant
from devstack.operate.seeds import SeedError, parse_seeds
from devstack.stack import StackOptions
from devstack.usage import COMMANDS
from devstack.version import Version
from runtime import command_line

_T = TypeVar("_T")


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command line; gives the exit code."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.command == "version":
        print(command_line.installed_version())
        return 0
    if asked.command == "run":
        _check_together(parser, asked)
    try:
        return asyncio.run(_command(asked))
    except CommandError as error:
        print(f"camunda-devstack: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("camunda-devstack: interrupted", file=sys.stderr)
    return 1


async def _command(asked: argparse.Namespace) -> int:
    match asked.command:
        case "run":
            return await run(_options(asked))
        case "deploy":
            return await deploy(asked.address, asked.files, tenant_id=asked.tenant)
        case _:
            return await start(
                asked.address,
                asked.process_id,
                variables=asked.variables,
                wait_s=asked.timeout if asked.wait else None,
                tenant_id=asked.tenant,
            )


def _check_together(parser: argparse.ArgumentParser, asked: argparse.Namespace) -> None:
    """End with wrong usage when options do not go together."""
    if asked.global_listener and not Version.parse(asked.version).has_global_listeners:
        parser.error(f"--global-listener: Camunda {asked.version} has none; add --version 8.9")


def _options(asked: argparse.Namespace) -> StackOptions:
    return StackOptions(
        version=asked.version,
        partitions=asked.partitions,
        host=asked.host,
        port_base=asked.port_base,
        seeds=tuple(asked.seed),
        read_delay_s=asked.read_delay,
        token_life_s=asked.token_life,
        gateway_requires_token=asked.require_gateway_token,
        tenants=frozenset(asked.tenant) or None,
        records=asked.records,
        push_url=asked.push,
        push_key=SecretStr(key) if (key := os.environ.get("DEVSTACK_PUSH_KEY")) else None,
        redis_url=asked.redis,
        elasticsearch=asked.elasticsearch,
        global_listeners=tuple(
            TaskListener(event, job_type, DEFAULT_RETRIES)
            for job_type in asked.global_listener
            for event in EVENTS
        ),
    )


def _parser() -> argparse.ArgumentParser:
    parser, commands = command_line.program(
        "camunda-devstack",
        "Runs a stand-in for a Camunda cluster, for development and tests, and talks to a running "
        "one.",
        "Exit codes: 0 fine, 1 failure at work, 2 wrong usage. "
        "What a command does and ends with: camunda-devstack COMMAND --help.",
    )
    added = {name: command_line.add(commands, name, told) for name, told in COMMANDS.items()}
    _add_run(added["run"])
    deploying, starting = added["deploy"], added["start"]
    deploying.add_argument(
        "files", nargs="+", metavar="FILE", type=_existing, help="what to deploy"
    )
    starting.add_argument("process_id", metavar="PROCESS_ID", help="its BPMN process id")
    starting.add_argument("--variables", default="{}", metavar="JSON", help="a JSON object")
    starting.add_argument("--wait", action="store_true", help="until its end, and print variables")
    starting.add_argument(
        "--timeout",
        default=60.0,
        type=_checked(_seconds),
        metavar="SECONDS",
        help="how long --wait waits (default: %(default)g)",
    )
    for command in (deploying, starting):
        command.add_argument(
            "--address",
            default="localhost:26500",
            help="the gateway's host and port (default: %(default)s)",
        )
        command.add_argument(
            "--tenant", default="", metavar="NAME", help="whose it is, where there are tenants"
        )
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--version",
        default="8.8",
        type=_checked(_version),
        help="the Camunda version to stand in for, 8.3 to 8.10 (default: %(default)s)",
    )
    parser.add_argument(
        "--partitions",
        default=1,
        type=_checked(_count),
        metavar="N",
        help="partitions of the engine; from 4 on keys pass 2^53 (default: %(default)s)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument(
        "--port-base",
        default=None,
        metavar="N",
        type=_checked(_port),
        help="gateway on N, HTTP on N+1 and N+2, token endpoint on N+3, App Integrations backend "
        "on N+4, Elasticsearch on N+5; 0 for free ports",
    )
    parser.add_argument(
        "--seed",
        default=[],
        metavar="FILE.json",
        type=_checked(lambda path: parse_seeds(Path(path).read_bytes())),
        help="entities to serve beside what the engine makes",
    )
    parser.add_argument(
        "--read-delay",
        default=0.0,
        type=_checked(_seconds),
        metavar="SECONDS",
        help="reads see a write this much later (default: at once)",
    )
    parser.add_argument(
        "--token-life",
        default=300.0,
        type=_checked(_seconds),
        metavar="SECONDS",
        help="how long an access token is good (default: %(default)g)",
    )
    parser.add_argument(
        "--require-gateway-token",
        action="store_true",
        help="let the gateway refuse calls without a good token",
    )
    parser.add_argument(
        "--tenant",
        default=[],
        action="append",
        metavar="NAME",
        type=_checked(parse_tenant),
        help="turn multi-tenancy on: a tenant that callers of the gateway may name (repeatable)",
    )
    _add_feeds(parser)


def _add_feeds(parser: argparse.ArgumentParser) -> None:
    """Where records and listener jobs go beside the APIs: what an exporter can read."""
    parser.add_argument(
        "--records", metavar="FILE.jsonl", type=Path, help="append every record to this file"
    )
    parser.add_argument(
        "--push",
        metavar="URL",
        type=_checked(partial(_url, ("http", "https"))),
        help="post every record there, with the key of DEVSTACK_PUSH_KEY",
    )
    parser.add_argument(
        "--redis",
        metavar="URL",
        type=_checked(partial(_url, ("redis", "rediss"))),
        help="add every record to streams there, as redis://host:6379",
    )
    parser.add_argument(
        "--elasticsearch", action="store_true", help="export records to an Elasticsearch (9200)"
    )
    parser.add_argument(
        "--global-listener",
        default=[],
        action="append",
        metavar="JOB_TYPE",
        help="tell a listener of this type of every user task (from 8.9 on)",
    )


def _checked(read: Callable[[str], _T]) -> Callable[[str], _T]:
    """A reader of an argument whose own words reach the user; argparse has only "invalid"."""

    def checked(text: str) -> _T:
        try:
            return read(text)
        except (OSError, SeedError, ValueError) as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return checked


def _version(text: str) -> str:
    return str(Version.parse(text))


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ValueError("must be a whole number") from error


def _count(text: str) -> int:
    if (count := _whole(text)) < 1:
        raise ValueError("must be at least 1")
    return count


def _port(text: str) -> int:
    port = _whole(text)
    if not 0 <= port <= 65_530:  # noqa: PLR2004 - six ports in a row have to fit
        raise ValueError("must be from 0 to 65530")
    return port


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise ValueError("must be zero or more seconds")
    return seconds


def _url(schemes: tuple[str, ...], text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in schemes or not parts.hostname:
        # The text itself stays unsaid: a URL may hold a password.
        raise ValueError(
            f"must be a URL that begins with {' or '.join(f'{s}://' for s in schemes)}"
        )
    return text


def _existing(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text} is no file")
    return path


if __name__ == "__main__":
    sys.exit(main())
