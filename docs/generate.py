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
from exporter.metrics import METRICS as EXPORTER_METRICS
from exporter.settings import ExporterSettings, ServiceSettings
from exporter.settings.backend import BackendSettings
from exporter.settings.source import SourceSettings
from runtime.metrics import LOOP_LAG, Metric
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


def exporter_settings() -> str:
    """The page of the exporter's settings."""
    return _page(
        "Settings of the exporter",
        "Environment variables. Where several names are listed, the first that is set wins; the "
        "names of upstream's exporter are accepted for its id (`APP_INTEGRATIONS_UPSTREAM_ID`). A "
        "name that looks misspelt under `APP_INTEGRATIONS_` stops the start, with all faults at "
        "once and exit code 2; secrets are never printed.",
        *_settings_sections(
            {
                "Batches": ExporterSettings,
                "The backend": BackendSettings,
                "The source": SourceSettings,
                "The service": ServiceSettings,
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
    """The page of the connector's metrics."""
    return _metrics_page(
        "Metrics of the connector",
        "Those that Camunda's connector runtime has too carry its names.",
        METRICS,
    )


def exporter_metrics() -> str:
    """The page of the exporter's metrics."""
    return _metrics_page(
        "Metrics of the exporter",
        "Those that upstream's exporter has too carry its names in Prometheus' form.",
        EXPORTER_METRICS,
    )


def _metrics_page(title: str, names: str, declared: Sequence[Metric]) -> str:
    rows = [
        f"| `{row.name}` | {row.kind} | {', '.join(f'`{label}`' for label in row.labels) or '-'} "
        f"| {row.unit or '-'} | {row.meaning} |"
        for row in describe_metrics([*declared, LOOP_LAG])
    ]
    head = ["| metric | kind | labels | unit | meaning |", "|---|---|---|---|---|"]
    return _page(
        title,
        f"At `/metrics` of the management port, and at `/actuator/prometheus`. {names}",
        "\n".join([*head, *rows]),
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "connector-settings.md": connector_settings,
    "operations.md": operations,
    "connector-errors.md": connector_errors,
    "metrics.md": metrics,
    "exporter-settings.md": exporter_settings,
    "exporter-metrics.md": exporter_metrics,
}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")


def _page(title: str, introduction: str, *sections: str) -> str:
    return "\n\n".join([_NOTE, f"# {title}", introduction, *sections]) + "\n"


def _settings_sections(classes: Mapping[str, type[Settings]]) -> list[str]:
    """A table for each class; a setting that a class inherits stands with the class it is from."""
    sections = []
    for title, kind in classes.items():
        bases = [base for base in classes.values() if base is not kind and issubclass(kind, base)]
        inherited = {row.names for base in bases for row in describe(base)}
        rows = [row for row in describe(kind) if row.names not in inherited]
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
