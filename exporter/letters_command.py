"""`app-integrations-exporter dead-letters list | show | redrive`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import orjson

from exporter.breaker import Breaker
from exporter.deadletter import LAST_ID, Letter
from exporter.errors import RecordError, StateUnavailable
from exporter.lease import Lease
from exporter.metrics import Metrics
from exporter.redrive import Redriven, redrive, request_for
from exporter.service import delivering
from exporter.settings import ExporterSettings, ServiceSettings
from exporter.state import FILE, State, open_state
from exporter.table import table
from runtime.clock import SystemClock
from runtime.lifecycle import ExitCode
from runtime.metrics import new_registry

_COLUMNS = ("id", "set aside", "kind", "partition", "positions", "events", "bytes", "reason")
_BAR = 30


async def show_list(settings: ServiceSettings) -> int:
    """Print one line for each."""
    async with _opened(settings) as state:
        letters = await state.letters(0, LAST_ID)
    _say(table(_COLUMNS, map(_row, letters)) if letters else "no dead letters")
    return ExitCode.FINE


async def show_one(settings: ServiceSettings, letter_id: int) -> int:
    """Print one as JSON, what was to be sent included."""
    async with _opened(settings) as state:
        letters = await state.letters(letter_id, letter_id)
        body = await state.body(letter_id)
    if not letters or body is None:
        print(f"there is no dead letter {letter_id}", file=sys.stderr)  # noqa: T201 - the command's output
        return ExitCode.FAILURE
    (letter,) = letters
    shown = {
        "id": letter.id,
        "kind": letter.kind,
        "setAside": _time(letter.set_aside_ms),
        "partitionId": letter.partition_id,
        "firstPosition": letter.first,
        "lastPosition": letter.last,
        "idempotencyKey": letter.idempotency_key,
        "reason": letter.reason,
        "status": letter.status,
        "headers": dict(letter.headers),
        "body": _readable(body),
    }
    _say(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
    return ExitCode.FINE


async def drive(settings: ExporterSettings, ids: tuple[int, int] | None, *, dry_run: bool) -> int:
    """Send those of a range of ids, or all, to the backend.

    Args:
        settings: Of the service.
        ids: First and last; None means all.
        dry_run: Only say what would be sent.
    """
    first, last = ids or (0, LAST_ID)
    async with _opened(settings) as state:
        letters = await state.letters(first, last)
        if not letters:
            _say("no dead letters there")
            return ExitCode.FINE if ids is None else ExitCode.FAILURE
        if dry_run:
            return await _rehearse(letters, state, metadata=settings.event_metadata)
        with Lease.take(settings.state_dir, "redrive"):
            return await _drive(settings, letters, state)


async def _rehearse(letters: Sequence[Letter], state: State, *, metadata: bool) -> int:
    code = ExitCode.FINE
    for letter in letters:
        body = await state.body(letter.id)
        try:
            request = request_for(letter, body or b"", metadata=metadata)
        except RecordError as error:
            _say(f"{letter.id}: cannot be sent: {error}")
            code = ExitCode.FAILURE
        else:
            _say(
                f"{letter.id}: would send {request.count} events ({len(request.body)} bytes) "
                f"as {request.idempotency_key}"
            )
    return code


async def _drive(settings: ExporterSettings, letters: Sequence[Letter], state: State) -> int:
    clock = SystemClock()
    breaker = Breaker(settings.breaker_failures, settings.breaker_probe_ms / 1000, clock)
    delivered = 0
    tried = 0
    async with delivering(settings, breaker, Metrics(new_registry()), clock) as delivery:
        metadata = settings.event_metadata
        async for redriven in redrive(letters, state, delivery, metadata=metadata, clock=clock):
            tried += 1
            delivered += redriven.ending == "delivered"
            _tell(redriven, tried, len(letters))
    _say(f"{delivered} of {len(letters)} delivered, {len(letters) - delivered} kept")
    return ExitCode.FINE if delivered == len(letters) else ExitCode.FAILURE


def _tell(redriven: Redriven, tried: int, total: int) -> None:
    """A line for each letter that was kept; for the rest a bar, where somebody looks at it."""
    if redriven.ending != "delivered":
        _say(f"{redriven.letter.id}: {redriven.ending}: {redriven.reason}")
    if sys.stderr.isatty():
        done = _BAR * tried // total
        bar = f"\r[{'#' * done}{'.' * (_BAR - done)}] {tried}/{total}"
        print(bar, end="\n" if tried == total else "", file=sys.stderr, flush=True)  # noqa: T201 - the command's output


@asynccontextmanager
async def _opened(settings: ServiceSettings) -> AsyncIterator[State]:
    if not (settings.state_dir / FILE).exists():
        raise StateUnavailable(
            f"no state in {settings.state_dir} yet; set APP_INTEGRATIONS_STATE_DIR as the service "
            "has it"
        )
    state = await open_state(
        settings.state_dir, None, settings.dead_letters_max_bytes, SystemClock()
    )
    try:
        yield state
    finally:
        await asyncio.to_thread(state.close)


def _row(letter: Letter) -> tuple[object, ...]:
    positions = (
        str(letter.first) if letter.first == letter.last else f"{letter.first}-{letter.last}"
    )
    return (
        letter.id,
        _time(letter.set_aside_ms),
        letter.kind,
        letter.partition_id,
        positions,
        letter.count,
        letter.size_bytes,
        letter.reason,
    )


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


def _readable(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")


def _say(text: str) -> None:
    print(text)  # noqa: T201 - the command's output
