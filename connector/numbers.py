from __future__ import annotations

INT64_MAX = 2**63 - 1
_INT64_DIGITS = 19
_EXACT_FLOATS = 2**53


def whole_number(value: object) -> int | None:
    """`value` as an integer when it is one, be it a number or text; else None.

    A float counts while it is exact: from 2^53 on it may already stand for another key.
    """
    match value:
        case bool():
            return None
        case int():
            return value
        case float() if value.is_integer() and abs(value) < _EXACT_FLOATS:
            return int(value)
        case str():
            return _from_text(value.strip())
        case _:
            return None


def _from_text(text: str) -> int | None:
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdecimal() and len(digits) <= _INT64_DIGITS:
        return int(text)
    return None
