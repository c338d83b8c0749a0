"""What a person reads: a table for each story, in plain text that fits a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from bpmn.demo.camunda import CLIENT_ID, CLIENT_SECRET
from bpmn.demo.ports import Ports
from bpmn.demo.story import Ended
from bpmn.demo.tap import Exchange

_WIDTH: Final = 110
_LABEL: Final = 28
_LONGEST: Final = 330
_FROM_THE_DEMO: Final = {"operateUrl", "tokenUrl"}


def table(ended: Ended) -> str:
    """A story as a table: each task with what it asked and was answered, then the end."""
    title = f" {ended.process_id}, instance {ended.key} "
    rows = [title.center(_WIDTH, "─")]
    for task, exchange in ended.asked:
        rows += _row(task, f"asked     {_asked(exchange)}")
        rows += _row("", f"answered  {exchange.status} {_short(_read(exchange.answered))}")
    shown = {k: v for k, v in ended.variables.items() if k not in _FROM_THE_DEMO}
    rows += [
        line for name, value in shown.items() for line in _row(f"  variable {name}", _short(value))
    ]
    rows += _row("end", f"{ended.state} at “{ended.end}” after {ended.took_s:.1f} s")
    return "\n".join(rows)


def where(ports: Ports) -> str:
    """Where everything listens, and why it is not where the documentation says."""
    lines = [
        f"gRPC gateway    http://localhost:{ports.gateway}",
        f"HTTP APIs       http://localhost:{ports.rest} and http://localhost:{ports.operate}",
        f"token endpoint  {ports.token_url}",
        f"connector       http://localhost:{ports.management}",
    ]
    if ports.base is not None:
        lines.insert(0, "A documented port is taken on this machine, so these are used:")
    return "\n".join(lines)


def invitation(ports: Ports) -> str:
    """What a user can try while the services stay up."""
    return "\n".join(
        [
            "The services stay up. Deploy from Modeler to",
            f"  http://localhost:{ports.gateway}, no authentication",
            "and use in your tasks",
            f"  Operate URL  {ports.operate_url}",
            f"  Token URL    {ports.token_url}",
            f"  client       {CLIENT_ID}, secret {CLIENT_SECRET}",
            "Ctrl-C stops everything.",
        ],
    )


def _asked(exchange: Exchange) -> str:
    body = _read(exchange.asked)
    return f"{exchange.method} {exchange.path}" + (f" {_short(body)}" if body is not None else "")


def _read(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """A body's JSON, or its text when it is none."""
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")


def _short(value: Any) -> str:  # noqa: ANN401 - any JSON
    """JSON on one line, with the parts left out that a search leaves open."""
    if isinstance(value, Mapping):
        value = {k: v for k, v in value.items() if v is not None}
    text = orjson.dumps(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _row(label: str, text: str) -> Iterator[str]:
    """A label and a text beside it, broken where it must be."""
    for line in _break(text, _WIDTH - _LABEL, indent=10):
        yield f"{label:<{_LABEL}}{line}"
        label = ""


def _break(text: str, width: int, indent: int) -> Iterator[str]:
    """Lines of at most `width`, cut anywhere: JSON has no blanks to break at."""
    yield text[:width]
    for at in range(width, len(text), width - indent):
        yield " " * indent + text[at : at + width - indent]
