"""The FEEL cases of the DMN TCK, compliance level 3, and the page that tells how they come out.

A file of `tests/feel/tck` holds the cases of one folder of the TCK, a JSON list a line: the case's
id, the expression, the expected result (temporal values as text) and, where it has one, a context.

`python -m tests.kit.feel_tck` writes the page anew; a test compares it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import feel
from feel.temporal import parse_temporal
from tests.kit.feel_values import same

FOLDER = Path(__file__).parent.parent / "feel" / "tck"
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "feel-tck.md"
DIFFERENCES: dict[str, list[str]] = json.loads(
    (FOLDER / "differences.json").read_text(encoding="utf-8")
)
"""Why a case has another result here: the reason, and the cases it holds for."""

FINER_THAN_MICROSECONDS = re.compile(r"\.\d{7}")


@dataclass(frozen=True)
class Case:
    """One case of the TCK.

    Attributes:
        file: the folder of the TCK that it is from.
        id: its id in that folder.
        text: the expression.
        expected: the result as JSON; null also stands for an error.
        context: the variables.
    """

    file: str
    id: str
    text: str
    expected: Any
    context: dict[str, Any]

    @property
    def name(self) -> str:
        """What tells it from all others."""
        return f"{self.file} {self.id}"

    def passes(self) -> bool:
        """Whether it comes to the expected result."""
        try:
            expression = feel.compile(self.text, names=self.context)
            value = expression.evaluate(self.context)
        except feel.FeelError:
            value = None
        if isinstance(self.expected, str) and not isinstance(value, str):
            return value is not None and _same_temporal(value, self.expected)
        return same(feel.to_json(value), self.expected)


def _same_temporal(value: Any, expected: str) -> bool:
    """Whether a value is what the text says: its zone too, and each digit of a second."""
    parsed = parse_temporal(expected)
    return (
        parsed == value
        and feel.to_json(parsed) == feel.to_json(value)
        and FINER_THAN_MICROSECONDS.search(expected) is None
    )


def cases() -> Iterator[Case]:
    """All cases, by file."""
    for path in sorted(FOLDER.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            number, text, expected, *context = json.loads(line)
            yield Case(path.stem, number, text, expected, context[0] if context else {})


def page() -> str:
    """The page: passed and failed by file, and why the failed ones differ."""
    found, failed = Counter[str](), Counter[str]()
    for case in cases():
        found[case.file] += 1
        failed[case.file] += not case.passes()
    rows = [f"| {file} | {found[file] - failed[file]} | {failed[file]} |" for file in sorted(found)]
    total = (
        f"| **{len(found)} files** | **{found.total() - failed.total()}** | **{failed.total()}** |"
    )
    reasons = [
        f"- {reason} ({len(names)}): {', '.join(f'`{name}`' for name in names)}."
        for reason, names in DIFFERENCES.items()
    ]
    return (
        "\n\n".join(
            [
                "<!-- Made from tests/feel/tck by `python -m tests.kit.feel_tck`. -->",
                "# FEEL and the DMN TCK",
                "Expressions of compliance level 3 of the technology compatibility kit for DMN "
                "(github.com/dmn-tck/tck), as far as they are FEEL alone: cases that need decision "
                "services, business knowledge models or types of a DMN model are not among "
                "them. Some files of the kit are not copied yet, the largest 0100-arithmetic "
                "and 1130-feel-interval. Where Camunda and the kit differ, Camunda's behaviour "
                "wins.",
                "\n".join(["| file | passed | failed |", "|---|---|---|", *rows, total]),
                "## Why a case fails",
                "\n".join(reasons),
            ]
        )
        + "\n"
    )


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
