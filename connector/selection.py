"""Result expressions that only pick parts of the answer, as the template's default one does.

Such an expression needs no evaluation: the parts go to the process as they came. That saves parsing
an answer and writing it again, which together cost more than the call that completes the job.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import orjson

import feel
from feel import syntax

Selection = Mapping[str, tuple[str, ...]]
"""Name of a variable to the names that lead to its part: `{"x": ("response", "body")}`."""


@lru_cache(maxsize=1024)
def selection(expression: str) -> Selection | None:
    """What `expression` picks, or None when it does more than picking.

    Raises:
        FeelError: when it is no expression.
    """
    parsed = feel.compile(expression).syntax
    if not isinstance(parsed, syntax.ContextLiteral):
        return None
    picked: dict[str, tuple[str, ...]] = {}
    for name, node in parsed.entries:
        path = _path(node)
        # An entry sees the entries before it, so a path may lead to one of them.
        if path is None or path[0] in picked:
            return None
        picked[name] = path
    return picked


def pick(selected: Selection, encodable: object) -> dict[str, object] | None:
    """The picked parts of an answer in its encodable form, or None when one lies too deep.

    What is not there is null, as in FEEL.
    """
    if not isinstance(encodable, Mapping):
        return None
    root = {**encodable, "response": encodable}
    parts: dict[str, object] = {}
    for name, path in selected.items():
        part: object = root
        for step in path:
            if isinstance(part, orjson.Fragment | list):
                # Only a parsed value can be looked into, and a list gives its items' parts.
                return None
            part = part.get(step) if isinstance(part, Mapping) else None
        parts[name] = part
    return parts


def _path(node: syntax.Node) -> tuple[str, ...] | None:
    match node:
        case syntax.Name(name):
            return (name,)
        case syntax.Path(base, name):
            before = _path(base)
            return None if before is None else (*before, name)
        case _:
            return None
