from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TextIO

import orjson
import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger

from runtime.log_writer import LineWriter
from runtime.redaction import MASK, mask_text, names_credential

LogLevel = Literal["DEBUG", "INFO", "WARN", "WARNING", "ERROR"]
"""Levels by name; `WARN` is Java's word for `WARNING`."""

LogFormat = Literal["json", "console", "text"]
"""One JSON object a line, or lines for people (`console` and `text` are the same)."""

_ON_EVERY_LINE = ("timestamp", "level", "logger", "event")
_DEEPEST = 6
_QUIET = {
    "aiohttp.access": logging.WARNING,
    # It writes each step of a consumer group as INFO, and each request as DEBUG: passwords too.
    "aiokafka": logging.WARNING,
    "asyncio": logging.WARNING,
    "grpc": logging.WARNING,
}
"""Libraries whose lines are left out below a level, whatever the level of the service is."""


def configure(
    level: LogLevel = "INFO", form: LogFormat = "json", stream: TextIO | None = None
) -> LineWriter:
    """Send the logs of structlog and of the standard library to stderr; call it again to change.

    Each line has `timestamp` (ISO, UTC), `level`, `logger` and `event`. Whatever looks like a
    credential is masked on its way, as a second line of defence: callers name fields that may be
    seen, and never log a whole job, header set or URL.

    Args:
        level: The least level that is written.
        form: How lines look.
        stream: Another stream than stderr.

    Returns:
        The writer; `close` it to have everything written now. It closes itself at exit.
    """
    target = sys.stderr if stream is None else stream
    writer = LineWriter(target)
    threshold = logging.getLevelNamesMapping()[level]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask,
    ]
    renderer = render_json if form == "json" else _console(colors=target.isatty())
    structlog.configure(
        processors=[structlog.stdlib.add_logger_name, *shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda name="": _NamedLogger(writer, name),
        # A logger that is made once would keep writing to the stream before a second call.
        cache_logger_on_first_use=False,
    )
    _bridge(writer, threshold, shared, renderer)
    return writer


def mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor that masks secrets, keys that look like credentials, and URL credentials."""
    return {key: _masked(key, value, 0) for key, value in event.items()}


def render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """A processor that ends the chain: one JSON object, what every line has standing first."""
    line = {name: event[name] for name in _ON_EVERY_LINE if name in event} | dict(event)
    try:
        return orjson.dumps(line).decode()
    except TypeError:
        # Integers beyond 64 bits and halves of surrogate pairs: rare, and no reason to lose a line.
        return json.dumps(line)


def _console(*, colors: bool) -> structlog.dev.ConsoleRenderer:
    # The other formatters show local variables, which are nobody's business.
    return structlog.dev.ConsoleRenderer(
        colors=colors, exception_formatter=structlog.dev.plain_traceback
    )


def _masked(key: object, value: object, depth: int) -> object:
    if isinstance(value, SecretStr) or (names_credential(str(key)) and value is not None):
        return MASK
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | Path | BaseException):
        return mask_text(str(value))
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return {str(inner): _masked(inner, item, depth + 1) for inner, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
        return [_masked(key, item, depth + 1) for item in value]
    # How an unknown object prints is not known to be safe.
    return f"<{type(value).__name__}>"


class _NamedLogger:
    """The end of structlog's chain: hands each rendered line to the writer."""

    def __init__(self, writer: LineWriter, name: str) -> None:
        self.name = name
        self._writer = writer

    def msg(self, line: str) -> None:
        self._writer.write(f"{line}\n")

    debug = info = warning = error = critical = msg


class _Bridge(logging.StreamHandler[LineWriter]):
    """The handler through which the standard library's loggers write to the same stream."""


def _bridge(
    writer: LineWriter, threshold: int, shared: list[Processor], renderer: Processor
) -> None:
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, _Bridge)]:
        root.removeHandler(old)
        old.stream.close()
    handler = _Bridge(writer)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root.addHandler(handler)
    root.setLevel(threshold)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, threshold))
    logging.captureWarnings(capture=True)
