"""The command lines of our programs, all alike: `--version`, and a help that stands by itself."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    # The type of what `add_subparsers` gives has a name for type checkers only.
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - the same

_WIDTH: Final = 79
_INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Help:
    """What `--help` tells of a command.

    Attributes:
        summary: Its line in the list of commands.
        does: What it does, in sentences.
        settings: Which settings it reads.
        exit_codes: What it ends with, and when.
        example: A command line to copy; more lines for more.
    """

    summary: str
    does: str
    settings: str
    exit_codes: Mapping[int, str]
    example: str


def installed_version() -> str:
    """The version of the distribution, which all programs are of."""
    return version("operate-connector")


def program(name: str, description: str, epilog: str) -> tuple[argparse.ArgumentParser, Commands]:
    """The parser of a program that has commands, and where to add these."""
    parser = argparse.ArgumentParser(prog=name, description=description, epilog=epilog)
    parser.add_argument(
        "--version", action="version", version=installed_version(), help="print the version"
    )
    return parser, parser.add_subparsers(dest="command", required=True, metavar="COMMAND")


def add(commands: Commands, name: str, told: Help) -> argparse.ArgumentParser:
    """Add a command; gives its parser, for its arguments."""
    return commands.add_parser(
        name,
        help=told.summary,
        description=textwrap.fill(told.does, _WIDTH),
        epilog=_epilog(told),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _epilog(told: Help) -> str:
    codes = [f"{code}  {when}" for code, when in told.exit_codes.items()]
    return "\n\n".join(
        [
            _part("settings", [told.settings]),
            _part("exit codes", codes, hanging="   "),
            f"example:\n{textwrap.indent(told.example, _INDENT)}",
        ]
    )


def _part(title: str, lines: list[str], hanging: str = "") -> str:
    filled = [
        textwrap.fill(
            line,
            _WIDTH,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT + hanging,
            break_on_hyphens=False,
        )
        for line in lines
    ]
    return "\n".join([f"{title}:", *filled])
