"""Writes the reference pages that are made from code; a test compares them.

`make docs` writes them anew after a setting, an operation, an error or a metric has changed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeGuard

from connector import errors
from connector.connection import Connection
from connector.observation import METRICS
from connector.operations import ENDPOINTS, OPERATIONS, Endpoint
from connector.settings import ConnectorSettings
from runtime.metrics import LOOP_LAG
from runtime.metrics import describe as describe_metrics
from runtime.proxy import ProxySettings
from runtime.settings import Row, Settings, describe

REFERENCE = Path(__file__).parent / "reference"
_NOTE = "<!-- Made from code by `make docs`; changes by hand are lost. -->"


def connector_settings() -> str:
    """The page of the connector's settings."""
    return _page(
        "Settings of the connector",
        "Environment variables. Where several names are listed, the first that is set wins. A name "
        "that looks misspelt under `CONNECTOR_` stops the start, with all faults at once and exit "
        "code 2; secrets are never printed.",
        *_settings_sections(
            {
                "The connector": ConnectorSettings,
                "Zeebe's gateway": Connection,
                "Proxies": ProxySettings,
            },
        ),
    )


def operations() -> str:
    """The page of endpoints, operations and fields."""
    return _page(
        "Endpoints, operations and fields",
        "What `request.endpoint` and `request.operation` can be, and the fields that a filter and "
        "a sort order can name. A field that is marked with - cannot be used that way.",
        *[_endpoint_section(endpoint) for endpoint in ENDPOINTS.values()],
    )


def connector_errors() -> str:
    """The page of what can go wrong with a job."""
    tree = inspect.cleandoc(errors.__doc__ or "").split("\n\n")[1]
    kinds: list[type[errors.ConnectorError]] = [
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if _is_error(kind)
    ]
    rows = [
        f"| `{kind.__name__}` | {_first_sentence(kind)} | {_retries(kind)} |"
        for kind in sorted(kinds, key=lambda kind: inspect.getsourcelines(kind)[1])
    ]
    return _page(
        "Errors of a job",
        "What makes a job fail, and how many retries it has left then.",
        f"```\n{inspect.cleandoc(tree)}\n```",
        "\n".join(["| error | when | retries left |", "|---|---|---|", *rows]),
    )


def metrics() -> str:
    """The page of metrics."""
    rows = [
        f"| `{row.name}` | {row.kind} | {', '.join(f'`{label}`' for label in row.labels) or '-'} "
        f"| {row.unit or '-'} | {row.meaning} |"
        for row in describe_metrics([*METRICS, LOOP_LAG])
    ]
    head = ["| metric | kind | labels | unit | meaning |", "|---|---|---|---|---|"]
    return _page(
        "Metrics of the connector",
        "At `/metrics` of the management port, and at `/actuator/prometheus`. Those that Camunda's "
        "connector runtime has too carry its names.",
        "\n".join([*head, *rows]),
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "connector-settings.md": connector_settings,
    "operations.md": operations,
    "connector-errors.md": connector_errors,
    "metrics.md": metrics,
}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")


def _page(title: str, introduction: str, *sections: str) -> str:
    return "\n\n".join([_NOTE, f"# {title}", introduction, *sections]) + "\n"


def _settings_sections(classes: Mapping[str, type[Settings]]) -> list[str]:
    """A table for each class; a setting that a class inherits stands with the class it is from."""
    inherited = [base for kind in classes.values() for base in kind.__bases__]
    shown = {row.names for base in inherited for row in describe(base)}
    sections = []
    for title, kind in classes.items():
        rows = [row for row in describe(kind) if kind in inherited or row.names not in shown]
        sections.append(f"## {title}\n\n{_settings_table(rows)}")
    return sections


def _settings_table(rows: Sequence[Row]) -> str:
    lines = [
        f"| {_names(row.names)} | {row.type} | {_code(row.default)} "
        f"| {_cell(row.meaning, row.unit)} |"
        for row in rows
    ]
    return "\n".join(["| variable | type | default | meaning |", "|---|---|---|---|", *lines])


def _names(names: tuple[str, ...]) -> str:
    first, *others = (f"`{name}`" for name in names)
    return "<br>".join([f"**{first}**", *others])


def _code(default: str) -> str:
    return default if default in {"none", "empty", "required"} else f"`{default}`"


def _cell(meaning: str, unit: str) -> str:
    return f"{meaning} ({unit})".replace("|", "\\|") if unit else meaning.replace("|", "\\|")


def _endpoint_section(endpoint: Endpoint) -> str:
    offered = [f"`{name}`" for name, item in OPERATIONS.items() if item in endpoint.operations]
    aliases = "".join(
        f"\n\nA filter may say `{alias}` for `{field}`."
        for alias, field in endpoint.aliases.items()
    )
    rows = [
        f"| `{name}` | {field.kind} | {_mark(field.filterable)} | {_mark(field.sortable)} |"
        for name, field in endpoint.fields.items()
    ]
    table = "\n".join(["| field | holds | filter | sort |", "|---|---|---|---|", *rows])
    return f"## `{endpoint.name}`\n\nOperations: {', '.join(offered)}.\n\n{table}{aliases}"


def _mark(possible: bool) -> str:  # noqa: FBT001  # one cell of a table
    return "yes" if possible else "-"


def _is_error(kind: type) -> TypeGuard[type[errors.ConnectorError]]:
    return issubclass(kind, errors.ConnectorError) and kind.__module__ == errors.__name__


def _first_sentence(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def _retries(kind: type[errors.ConnectorError]) -> str:
    return "one less" if kind.uses_retry else "0"


if __name__ == "__main__":
    main()
