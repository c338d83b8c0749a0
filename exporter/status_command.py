"""`app-integrations-exporter status`: how far each partition is, from the state file."""

from __future__ import annotations

import asyncio
import sys

from exporter.settings import ServiceSettings
from exporter.state import FILE, open_state
from exporter.table import table
from runtime import health
from runtime.clock import SystemClock
from runtime.lifecycle import ExitCode

_COLUMNS = ("partition", "position", "being sent", "events", "read up to")


async def show(settings: ServiceSettings) -> int:
    """Print it; works whether or not the service runs."""
    if not (settings.state_dir / FILE).exists():
        print(f"no state in {settings.state_dir} yet", file=sys.stderr)  # noqa: T201 - the command's output
        return ExitCode.FAILURE
    state = await open_state(
        settings.state_dir, None, settings.dead_letters_max_bytes, SystemClock()
    )
    try:
        positions, kept = await state.positions(), await state.dead_letters()
    finally:
        await asyncio.to_thread(state.close)
    rows = [
        (
            partition_id,
            progress.position if progress.position >= 0 else "none",
            f"{progress.pending.first}-{progress.pending.last}" if progress.pending else "",
            progress.pending.count if progress.pending else "",
            progress.bookmark,
        )
        for partition_id, progress in positions.items()
    ]
    problem = await health.ask(f"http://localhost:{settings.management_port}")
    print(table(_COLUMNS, rows))  # noqa: T201 - the command's output
    print(f"dead letters: {kept.count} ({kept.bytes} bytes)")  # noqa: T201 - the same
    print(f"service: {'alive' if problem is None else 'not running here'}")  # noqa: T201 - the same
    return ExitCode.FINE
