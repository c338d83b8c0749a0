"""What a person reads: a table for each story, in plain text that fits a terminal."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import orjson

from bpmn.demo.camunda import CLIENT_ID, CLIENT_SECRET
from bpmn.demo.events import Event
from bpmn.demo.ports import Ports
from bpmn.demo.story import Ended
from bpmn.demo.tap import Exchange

_WIDTH: Final = min(max(shutil.get_terminal_size((110, 24)).columns, 80), 120)
"""As wide as the terminal, within what can be read; 110 where there is none."""
_LABEL: Final = 28
_VERB: Final = 10
_ITEMS: Final = 3
_CHARS: Final = 400
_FROM_THE_DEMO: Final = {"operateUrl", "tokenUrl"}


def table(ended: Ended) -> str:
    """A story as a table: what each task asked and was answered, what came of it, the end."""
    rows = [f" {ended.process_id}, instance {ended.key} ".center(_WIDTH, "─")]
    for task, exchange in ended.asked:
        rows += _rows(task, "asked", _asked(exchange))
        rows += _rows("", "answered", _answered(exchange))
    for task, variables in ended.completed:
        rows += _rows(task, "completed", [f"with {_json(variables)}"])
    for name, value in ended.variables.items():
        if name not in _FROM_THE_DEMO:
            rows += _rows(f"  variable {name}", "is", [_cut(_json(value))])
    state = f"{ended.state} at “{ended.end}” after {ended.took_s:.1f} s"
    rows += _rows("end", "", [state])
    return "\n".join(rows)


def events_table(events: Sequence[Event]) -> str:
    """What the exporter delivered of user tasks, an event a line, in the order of arrival."""
    rows = [" events at the App Integrations backend ".center(_WIDTH, "─")]
    for event in events:
        of = f"{event['processDefinitionId']}, instance {event['processInstanceKey']}"
        assignee = f", assignee {event['assignee']}" if event["assignee"] else ""
        about = f"user task {event['id']} of {of}{assignee}"
        rows += _rows(event["elementId"], event["intent"].lower(), [about])
    return "\n".join(rows)


def where(ports: Ports) -> str:
    """Where everything listens, and why it is not where the documentation says."""
    lines = [
        f"gRPC gateway    http://localhost:{ports.gateway}",
        f"HTTP APIs       http://localhost:{ports.rest} and http://localhost:{ports.operate}",
        f"token endpoint  {ports.token_url}",
        f"event backend   http://localhost:{ports.backend}",
        f"connector       http://localhost:{ports.management}",
        f"exporter        http://localhost:{ports.exporter}",
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
            f"User tasks show as events on http://localhost:{ports.backend}",
            "Ctrl-C stops everything.",
        ],
    )


def _asked(exchange: Exchange) -> Iterator[str]:
    yield f"{exchange.method} {exchange.path}"
    if exchange.asked:
        yield _json(_without_nulls(_read(exchange.asked)))


def _answered(exchange: Exchange) -> Iterator[str]:
    """A page as one line an item; of anything else its beginning, which is mostly all of it."""
    body = _read(exchange.answered)
    if not (isinstance(body, dict) and "items" in body):
        text = _json(body)
        yield f"{exchange.status} {text[:_CHARS]}"
        if len(text) > _CHARS:
            yield f"… and {len(text) - _CHARS} characters more"
        return
    items = body["items"]
    yield f"{exchange.status}, {len(items)} of {body['total']} items"
    yield from map(_json, items[:_ITEMS])
    if len(items) > _ITEMS:
        yield f"… and {len(items) - _ITEMS} more"


def _read(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """A body's JSON, or its text when it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")


def _without_nulls(body: Any) -> Any:  # noqa: ANN401 - any JSON
    """A request without the parts that it leaves open."""
    return {k: v for k, v in body.items() if v is not None} if isinstance(body, dict) else body


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON
    """JSON with blanks between its parts, so that a long one can be broken there."""
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    longest = _WIDTH - _LABEL - _VERB
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _rows(label: str, verb: str, texts: Iterable[str]) -> Iterator[str]:
    """A label and a verb, and beside them the texts, broken where they must be."""
    beside = f"{label:<{_LABEL}}{verb:<{_VERB}}"
    for text in texts:
        for line in textwrap.wrap(text, _WIDTH - len(beside), break_on_hyphens=False):
            yield f"{beside}{line}"
            beside = " " * len(beside)
