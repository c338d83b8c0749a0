"""`app-integrations-exporter check`: is everything there that the settings name?

Nothing is made or changed by it, here or at the peers, so it may run anywhere and at any time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from exporter.errors import ExporterError, StateUnavailable
from exporter.metrics import Metrics
from exporter.service import Observer, source_options
from exporter.settings import ExporterSettings
from exporter.sources import probe
from exporter.state import FILE, look_into_state
from runtime.clock import SystemClock
from runtime.errors import ServiceError
from runtime.http import HttpOptions, exchange, open_session
from runtime.http_errors import origin_of
from runtime.metrics import new_registry
from runtime.oauth import TokenCache

_LIMIT_BYTES = 1_048_576
_REFUSED = (401, 403)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    is_fine: bool
    text: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.is_fine else 'FAIL'} {self.subject}: {self.text}"


async def check(settings: ExporterSettings) -> AsyncIterator[Finding]:
    """Look at everything that the settings name, one finding after the other."""
    yield Finding("settings", is_fine=True, text=f"events {', '.join(settings.selection.kinds)}")
    looks: dict[str, Callable[[ExporterSettings], Awaitable[str]]] = {
        "state": _state,
        "source": _source,
        "token": _token,
        "backend": _backend,
    }
    for subject, look in looks.items():
        if subject == "token" and settings.oauth is None:
            continue
        try:
            yield Finding(subject, is_fine=True, text=await look(settings))
        except ServiceError as error:
            yield Finding(subject, is_fine=False, text=str(error))


async def _state(settings: ExporterSettings) -> str:
    directory = settings.state_dir
    await asyncio.to_thread(_prove_writable, directory)
    if not (directory / FILE).exists():
        return f"{directory}: nothing there yet"
    state = await look_into_state(directory, settings.source_name, SystemClock())
    try:
        positions, kept = await state.positions(), await state.dead_letters()
    finally:
        await asyncio.to_thread(state.close)
    return f"{directory}: {len(positions)} partitions, {kept.count} dead letters"


def _prove_writable(directory: Path) -> None:
    """Write where the state will be, or where its directory will be made, and leave nothing."""
    nearest = next(each for each in (directory, *directory.absolute().parents) if each.exists())
    try:
        with TemporaryFile(dir=nearest) as file:
            file.write(b"\0")
    except OSError as error:
        raise StateUnavailable(
            f"{nearest} cannot be written ({error.strerror}); check the directory and its "
            "permissions, or name another in APP_INTEGRATIONS_STATE_DIR"
        ) from error


async def _source(settings: ExporterSettings) -> str:
    observer = Observer(Metrics(new_registry()))
    await probe(source_options(settings, [settings.selection], observer, SystemClock()))
    return settings.source_name


async def _token(settings: ExporterSettings) -> str:
    options = HttpOptions(ca_file=settings.ca_file, proxies=settings.proxies())
    async with (
        open_session(options) as session,
        TokenCache(session, SystemClock(), random.random) as tokens,
    ):
        credentials = settings.oauth
        if credentials is not None:
            await tokens.token(credentials)
    return origin_of(settings.oauth_token_url or "")


async def _backend(settings: ExporterSettings) -> str:
    """Ask with HEAD, which sends no event; any answer but a refusal shows that it is there."""
    key = settings.api_key
    headers = {} if key is None else {"x-api-key": key.get_secret_value()}
    options = HttpOptions(ca_file=settings.ca_file, proxies=settings.proxies())
    async with open_session(options) as session:
        answer = await exchange(
            session, "HEAD", settings.url, limit_bytes=_LIMIT_BYTES, headers=headers
        )
    origin = origin_of(settings.url)
    if answer.status >= 500 or 300 <= answer.status < 400:  # noqa: PLR2004 - classes of statuses
        raise ExporterError(f"{origin} answers {answer.status}; check the URL")
    if answer.status in _REFUSED and settings.oauth is None:
        raise ExporterError(f"{origin} answers {answer.status}; check the API key")
    return f"{origin} answers"
