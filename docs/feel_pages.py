"""Writes the reference page of FEEL's functions, made from the table that the engine calls from.

`make docs` writes it anew after a function has changed; a test compares it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from pathlib import Path

from feel.functions import CATEGORIES, Overload

REFERENCE = Path(__file__).parent / "reference"
_NOTE = "<!-- Made from code by `make docs`; changes by hand are lost. -->"


def functions() -> str:
    """The page of all built-in functions, by category, each with its examples."""
    sections = [_category(category.name, category.overloads) for category in CATEGORIES]
    introduction = (
        "All functions that an expression can call. `name?` marks a parameter that may be left "
        "out, `name...` one that takes all arguments from its place on. Arguments are given by "
        "place or by name: `substring(string: s, start position: 2)`. An argument of another type "
        "than its parameter's, or null where the type is not `any`, makes the call null. "
        "How the engine works is told in [FEEL](../explanation/feel.md)."
    )
    return "\n\n".join([_NOTE, "# Functions of FEEL", introduction, *sections]) + "\n"


def _category(name: str, overloads: Iterable[Overload]) -> str:
    entries = [
        _function(function, list(ways))
        for function, ways in groupby(overloads, key=lambda overload: overload.name)
    ]
    return "\n\n".join([f"## {name}", *entries])


def _function(name: str, overloads: Iterable[Overload]) -> str:
    return "\n\n".join([f"### {name}", *map(_overload, overloads)])


def _overload(overload: Overload) -> str:
    parameters = ", ".join(map(str, overload.parameters))
    parts = [f"`{overload.name}({parameters})`: {overload.summary}"]
    if overload.examples:
        lines = [f"{example}\n// {result}" for example, result in overload.examples]
        parts.append("\n".join(["```feel", *lines, "```"]))
    return "\n\n".join(parts)


PAGES: Mapping[str, Callable[[], str]] = {"feel.md": functions}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
