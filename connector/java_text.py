from __future__ import annotations

from collections.abc import Mapping


def java_text(value: object) -> str:
    """`value` as Java's `Map.toString` writes it.

    Upstream ends its incident messages in this form, and people search for it.
    """
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case Mapping():
            return "{" + ", ".join(f"{key}={java_text(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(java_text(item) for item in value) + "]"
        case _:
            return str(value)
