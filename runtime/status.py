"""What a service shows of itself: sections of plain values, as JSON and as a script-free page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

Value = str | int | float | bool | None
"""A cell: shown as text on the page, as itself in JSON."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the status: named facts, a table, or both.

    Attributes:
        key: Its name in JSON, stable.
        title: Its heading on the page.
        facts: Names and values.
        columns: Headings of the table; empty for none.
        rows: Cells of the table, one for each column.
    """

    key: str
    title: str
    facts: Mapping[str, Value] | None = None
    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[Value, ...]] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """A service at one moment.

    Attributes:
        service: Name of the program.
        version: Its version.
        uptime_s: Seconds since it started.
        reasons: Why it is not ready, by check; empty when it is.
        sections: What it has to show.
    """

    service: str
    version: str
    uptime_s: float
    reasons: Mapping[str, str]
    sections: Sequence[Section] = ()


def as_json(status: Status) -> dict[str, object]:
    """The status for programs: a table's rows are objects by column."""
    return {
        "service": status.service,
        "version": status.version,
        "uptime_s": round(status.uptime_s, 3),
        "ready": not status.reasons,
        "reasons": dict(status.reasons),
        "sections": {section.key: _section_json(section) for section in status.sections},
    }


def _section_json(section: Section) -> dict[str, object]:
    shown: dict[str, object] = {"title": section.title}
    if section.facts is not None:
        shown["facts"] = dict(section.facts)
    if section.columns:
        shown["rows"] = [dict(zip(section.columns, row, strict=True)) for row in section.rows]
    return shown


def as_page(status: Status, refresh_s: int) -> str:
    """The status for people: HTML that loads nothing, runs nothing and reloads itself."""
    name = escape(status.service)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="{refresh_s}">
<title>{"" if not status.reasons else "Not ready: "}{name}</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>{name} <small>{escape(status.version)}</small></h1>
<p>{_readiness(status)} Up for {_span(status.uptime_s)}.
Reloads every {refresh_s} s. <a href="status.json">JSON</a> <a href="metrics">Metrics</a></p>
</header>
<main>
{_reasons(status.reasons)}{"".join(_section_html(section) for section in status.sections)}</main>
</body>
</html>
"""


def _readiness(status: Status) -> str:
    if status.reasons:
        return '<strong class="not-ready">Not ready.</strong>'
    return '<strong class="ready">Ready.</strong>'


def _reasons(reasons: Mapping[str, str]) -> str:
    if not reasons:
        return ""
    items = "".join(
        f"<li><b>{escape(name)}</b>: {escape(reason)}</li>" for name, reason in reasons.items()
    )
    return f"<section><h2>Why it is not ready</h2><ul>{items}</ul></section>\n"


def _section_html(section: Section) -> str:
    facts = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{_cell(value)}</tr>'
        for name, value in (section.facts or {}).items()
    )
    shown = f'<div class="wide"><table>{facts}</table></div>' if facts else ""
    if section.columns:
        shown += _table(section)
    return (
        f'<section id="{escape(section.key)}"><h2>{escape(section.title)}</h2>{shown}</section>\n'
    )


def _table(section: Section) -> str:
    if not section.rows:
        return "<p>None.</p>"
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in section.columns)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in section.rows)
    table = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="wide"><table>{table}</table></div>'


def _cell(value: Value) -> str:
    match value:
        case None:
            return "<td>&ndash;</td>"
        case bool():
            return f"<td>{'yes' if value else 'no'}</td>"
        case int():
            return f'<td class="number">{value:,}</td>'
        case float():
            return f'<td class="number">{value:,.3f}</td>'
        case str():
            return f"<td>{escape(value)}</td>"


def _span(seconds: float) -> str:
    """The two largest units of a time span, such as `3 h 12 min`."""
    left = int(seconds)
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        whole, left = divmod(left, size)
        if whole:
            parts.append(f"{whole} {unit}")
    return " ".join(parts[:2]) or "0 s"


_STYLE = """
:root { color-scheme: light dark; --line: #8886; --good: #0a6b2d; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --good: #6fdc8c; --bad: #ff8389; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h1 small { font-weight: normal; opacity: .75; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
table { border-collapse: collapse; } .wide { overflow-x: auto; }
th, td { text-align: left; padding: .25rem 1.25rem .25rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: break-word; max-width: 36rem; }
th { font-weight: 600; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
th[scope=row] + td { text-align: left; } .wide + .wide, .wide + p { margin-top: 1rem; }
header a { margin-left: .5rem; }
.ready { color: var(--good); } .not-ready { color: var(--bad); }
"""
