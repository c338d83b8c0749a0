from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from exporter.settings.names import DEFAULT_UPSTREAM_ID, only_ours
from runtime.settings import ByteSize, DurationS, Port, Settings


class ServiceSettings(Settings):
    """What the service needs for itself; commands that only look at its state read no more."""

    state_dir: Annotated[
        Path, only_ours("STATE_DIR", "Directory of positions, dead letters and queues.")
    ] = Path("state")
    dead_letters_max_bytes: Annotated[
        ByteSize,
        Field(ge=0),
        only_ours("DEAD_LETTERS_MAX_BYTES", "Beyond it a lane waits instead of setting aside."),
    ] = 1024**3
    inbox_max_bytes: Annotated[
        ByteSize,
        Field(ge=1024),
        only_ours("INBOX_MAX_BYTES", "Size of the queue of sources that are pushed to."),
    ] = 1024**3
    drain_deadline_s: Annotated[
        DurationS,
        Field(ge=0),
        only_ours("DRAIN_DEADLINE", "How long what was read may still be sent after SIGTERM."),
    ] = 25.0
    ready_lag_s: Annotated[
        DurationS,
        Field(gt=0),
        only_ours("READY_LAG", "Lag of a partition from which on the service is not ready."),
    ] = 300.0
    management_port: Annotated[
        Port, only_ours("MANAGEMENT_PORT", "Port of health, metrics and status.")
    ] = 9602
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARN", "WARNING", "ERROR"],
        only_ours("LOG_LEVEL", "Least severe entries that are logged."),
    ] = "INFO"
    log_format: Annotated[
        Literal["json", "console", "text"],
        only_ours("LOG_FORMAT", "One JSON object a line, or text for people."),
    ] = "json"
    upstream_id: Annotated[
        str,
        only_ours(
            "UPSTREAM_ID", "`<ID>` of upstream's variables `ZEEBE_BROKER_EXPORTERS_<ID>_ARGS_…`."
        ),
    ] = DEFAULT_UPSTREAM_ID
