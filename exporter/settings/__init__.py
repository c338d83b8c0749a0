"""Settings of the exporter: where events go, where records come from, and the service around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from exporter.settings.backend import BackendSettings
from exporter.settings.names import PREFIX, UPSTREAM, only_ours, ours
from exporter.settings.service import ServiceSettings
from exporter.settings.source import SourceSettings
from runtime.proxy import ProxySettings
from runtime.settings import (
    ByteSize,
    DurationMs,
    Fault,
    Rule,
    SettingsError,
    load,
)

__all__ = ["ExporterSettings", "ServiceSettings", "load_settings"]

_UPSTREAM_ID = f"{PREFIX}UPSTREAM_ID"


class ExporterSettings(BackendSettings, SourceSettings, ServiceSettings, ProxySettings):
    """Everything that an operator can set on the exporter."""

    prefixes: ClassVar = (PREFIX, UPSTREAM)

    batch_size: Annotated[
        int, Field(ge=1, le=100_000), ours("BATCH_SIZE", meaning="Events in a request.")
    ] = 50
    batch_max_bytes: Annotated[
        ByteSize,
        Field(ge=1),
        only_ours("BATCH_MAX_BYTES", "Size of a request; a larger event goes alone."),
    ] = 1_000_000
    batch_interval_ms: Annotated[
        DurationMs,
        Field(ge=1),
        ours("BATCH_INTERVAL_MS", meaning="Age of a batch's first event at which it is sent."),
    ] = 2000
    max_batches_in_flight: Annotated[
        int,
        Field(ge=1, le=1000),
        ours(
            "MAX_BATCHES_IN_FLIGHT",
            meaning="For each partition: one batch that is being sent, and the rest closed and "
            "waiting.",
        ),
    ] = 2


def load_settings(environ: Mapping[str, str]) -> ExporterSettings:
    """Read the settings; upstream's variables are taken under the id that the environment names.

    Raises:
        SettingsError: With every fault, under the names that the user set.
    """
    theirs = f"ZEEBE_BROKER_EXPORTERS_{environ.get(_UPSTREAM_ID, '').strip().upper()}_ARGS_"
    if theirs in ("ZEEBE_BROKER_EXPORTERS__ARGS_", UPSTREAM):
        return load(ExporterSettings, environ)
    renamed = {_renamed(name, theirs, UPSTREAM): text for name, text in environ.items()}
    try:
        return load(ExporterSettings, renamed)
    except SettingsError as error:
        raise SettingsError(
            [
                Fault(
                    _renamed(fault.variable, UPSTREAM, theirs),
                    fault.problem,
                    fault.remedy.replace(UPSTREAM, theirs),
                )
                for fault in error.faults
            ]
        ) from None


def _renamed(name: str, before: str, after: str) -> str:
    return after + name.removeprefix(before) if name.startswith(before) else name


def _check_ports(settings: ExporterSettings) -> Iterator[Fault]:
    url = settings.source_url
    if url.scheme == "http" and url.port == settings.management_port:
        yield Fault(
            f"{PREFIX}SOURCE",
            f"listens at the port of {PREFIX}MANAGEMENT_PORT",
            "give one of them another port",
        )


ExporterSettings.rules = (Rule(("source", "management_port"), _check_ports),)
