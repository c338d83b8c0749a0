from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Final

from feel import numbers
from feel.numbers import as_number
from feel.temporal.text import format_offset
from feel.temporal.zones import offset_of, zone_name
from feel.text import text_of
from feel.values import Function, Value, is_context, is_list

_CHARS_AN_ITEM: Final = 32


def from_json_text(text: str) -> Value:
    """The value of a JSON text, its numbers exact; None when it is not JSON."""
    import json  # noqa: PLC0415 - keeps the import of the package short

    try:
        return json.loads(text, parse_float=_number, parse_int=_number, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> numbers.Number:
    number = as_number(Decimal(text)) if len(text) < numbers.DIGITS else None
    if number is None:
        number = numbers.parse_literal(text)
    if number is None:
        raise ValueError(text)
    return number


def _refuse(constant: str) -> Value:
    raise ValueError(constant)


def to_json_text(value: Value, charge: Callable[[int], None]) -> str:
    """The JSON text of a value, without blanks; a function is null in it.

    Args:
        value: the value.
        charge: told the number of characters before each part is made; ends the work by raising.
    """
    charge(_CHARS_AN_ITEM)
    if is_context(value):
        entries = (f"{_quoted(key)}:{to_json_text(entry, charge)}" for key, entry in value.items())
        return "{" + ",".join(entries) + "}"
    if is_list(value):
        return "[" + ",".join(to_json_text(item, charge) for item in value) + "]"
    return _plain(value, charge)


def _plain(value: Value, charge: Callable[[int], None]) -> str:
    if value is None or isinstance(value, Function):
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        charge(len(value))
        return _quoted(value)
    if isinstance(value, int | float | Decimal):
        number = as_number(value)
        return "null" if number is None else numbers.text_of(number)
    return _quoted(_text(value, charge))


def _quoted(text: str) -> str:
    from json import dumps  # noqa: PLC0415 - keeps the import of the package short

    return dumps(text, ensure_ascii=False)


def _text(value: Value, charge: Callable[[int], None]) -> str:
    """The text of a temporal value, a zone written as `+01:00[Europe/Berlin]`."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        name = zone_name(value.tzinfo)
        if name is not None:
            local, _, _ = text_of(value, charge).partition("@")
            return f"{local}{format_offset(offset_of(value))}[{name}]"
    return text_of(value, charge)
