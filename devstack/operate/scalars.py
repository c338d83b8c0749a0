"""JSON scalars, taken as leniently as the API's JSON library takes them.

Numbers and booleans may stand in text, an empty text means nothing, a fraction is cut off
(Operate's public code; the last two are inferred from the library's defaults).
"""

from __future__ import annotations

import re
from math import isfinite

from devstack.operate.errors import InvalidRequestError

INT64 = 1 << 63
_NUMBER = re.compile(r"[+-]?0*\d{1,19}")
"""No longer than 64 bits: Python refuses to read texts of thousands of digits."""

_BOOLEANS = {"true": 1, "True": 1, "TRUE": 1, "false": 0, "False": 0, "FALSE": 0, "": None}


def to_int(name: str, value: object, bound: int) -> int | None:
    """The integer that a JSON value stands for; None for a null or an empty text.

    Raises:
        InvalidRequestError: when it stands for none, or for one outside `[-bound, bound)`.
    """
    match value:
        case None | "":
            return None
        case bool():
            number = None
        case float() if not isfinite(value):
            number = None
        case int() | float():
            number = int(value)
        case str() if _NUMBER.fullmatch(value.strip()):
            number = int(value)
        case _:
            number = None
    if number is None or not -bound <= number < bound:
        raise InvalidRequestError(
            f"JSON parse error: {name} must be an integer of the field's size"
        )
    return number


def path_key(text: str) -> int:
    """The key that stands in a path.

    Raises:
        InvalidRequestError: when it is no 64-bit integer.
    """
    try:
        key = to_int("key", text, INT64)
    except InvalidRequestError:
        key = None
    if key is None:
        raise InvalidRequestError("the key in the path must be a 64-bit integer")
    return key


def to_boolean(name: str, value: object) -> int | None:
    """1 or 0 for the boolean that a JSON value stands for; None for an empty text.

    Raises:
        InvalidRequestError: when it stands for none.
    """
    if isinstance(value, bool | int):
        return int(value != 0)
    if isinstance(value, str) and value.strip() in _BOOLEANS:
        return _BOOLEANS[value.strip()]
    raise InvalidRequestError(f"JSON parse error: {name} must be true or false")


def to_text(name: str, value: object) -> str:
    """The text that a JSON scalar stands for.

    Raises:
        InvalidRequestError: when it is an array or an object.
    """
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case _:
            raise InvalidRequestError(f"JSON parse error: {name} must be text")
