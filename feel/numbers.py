"""Numbers: `int` where whole, else `Decimal` of 34 digits, rounded half to even (DECIMAL128).

A `float` comes in from outside only; it counts as the decimal number that Python prints for it.
`bool` is no number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import Final, TypeAlias

from feel.errors import LimitExceeded

Number: TypeAlias = int | Decimal

DIGITS: Final = 34
EXACT: Final = 10**DIGITS
"""Whole numbers below this are kept as `int`; from here on a number has 34 digits and a power."""

# 308 keeps every number inside what a JSON reader with doubles can take.
ARITHMETIC: Final = Context(
    prec=DIGITS,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=308,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow],
)


_WHOLE: Final = Decimal(1)


def too_large() -> LimitExceeded:
    """The error for a number that no double can hold."""
    return LimitExceeded("number", "a number may have 308 digits before its point")


def settle(value: Decimal) -> Number:
    """The same number, as `int` if it has no digits after its point and is exact.

    `2.50` and `1.0` keep their zeros, as on Camunda: they are seen where a number becomes text.
    """
    if value.same_quantum(_WHOLE):
        return int(value) if -EXACT < value < EXACT else value
    if not value:
        return value.copy_abs()
    if value.as_tuple().exponent < 0 or not -EXACT < value < EXACT:  # type: ignore[operator] # finite
        return value
    return int(value)


def settle_int(value: int) -> Number:
    """The same number if it has up to 34 digits, else rounded to them."""
    if -EXACT < value < EXACT:
        return value
    try:
        return ARITHMETIC.create_decimal(value)
    except Overflow:
        raise too_large() from None


def parse_literal(text: str) -> Number | None:
    """The number that digits with an optional point stand for; None when it is too large."""
    if len(text) < DIGITS and text.isdecimal():
        return int(text)
    try:
        return settle(ARITHMETIC.create_decimal(text))
    except Overflow:
        return None


def as_number(value: object) -> Number | None:
    """`value` as a number of the engine; None of a `bool`, of what is not finite or no number."""
    kind = type(value)
    if kind is int:
        return value  # type: ignore[return-value] # `kind` says so, at half the cost
    if kind is bool:
        return None
    if isinstance(value, float):
        return from_float(value)
    if isinstance(value, Decimal):
        return settle(value) if value.is_finite() else None
    return int(value) if isinstance(value, int) else None


def from_float(value: float) -> Number | None:
    """The decimal number that Python prints for `value`; None when it is not finite."""
    number = Decimal(repr(value))
    return settle(number) if number.is_finite() else None


def add(left: Number, right: Number) -> Number:
    """The sum."""
    if type(left) is int and type(right) is int:
        return settle_int(left + right)
    return _calculate(ARITHMETIC.add, left, right)


def subtract(left: Number, right: Number) -> Number:
    """The difference."""
    if type(left) is int and type(right) is int:
        return settle_int(left - right)
    return _calculate(ARITHMETIC.subtract, left, right)


def multiply(left: Number, right: Number) -> Number:
    """The product."""
    if type(left) is int and type(right) is int:
        return settle_int(left * right)
    return _calculate(ARITHMETIC.multiply, left, right)


def divide(left: Number, right: Number) -> Number | None:
    """The quotient; None when `right` is 0."""
    if right == 0:
        return None
    if type(left) is int and type(right) is int and left % right == 0:
        return left // right
    return _calculate(ARITHMETIC.divide, left, right)


def power(base: Number, exponent: Number) -> Number | None:
    """`base` to the power of `exponent`; None where there is no such number.

    As on Camunda, a power with a fraction has the digits of a double.
    """
    if exponent == 0:
        return 1
    if base == 0 and exponent < 0:
        return None
    if not is_whole(exponent):
        return with_doubles(math.pow, base, exponent)
    try:
        return settle(ARITHMETIC.power(base, int(exponent)))
    except Overflow:
        raise too_large() from None
    except DecimalException:
        return None


def negative(number: Number) -> Number:
    """The number with the other sign; plain `-` would round by the thread's decimal context."""
    return -number if isinstance(number, int) else settle(number.copy_negate())


def size(number: Number) -> Number:
    """The number without its sign; plain `abs` would round by the thread's decimal context."""
    return abs(number) if isinstance(number, int) else number.copy_abs()


def _calculate(operation: object, left: Number, right: Number) -> Number:
    try:
        return settle(operation(left, right))  # type: ignore[operator] # a method of ARITHMETIC
    except Overflow:
        raise too_large() from None


def text_of(number: Number) -> str:
    """The number in plain digits, without exponent, with the zeros that its fraction ends with."""
    return str(number) if type(number) is int else format(number, "f")


def with_doubles(function: Callable[..., float], *values: Number) -> Number | None:
    """What a function of `math` gives, as Camunda reckons roots, logarithms and their like.

    None where it has no result.

    Raises:
        LimitExceeded: the result is too large.
    """
    try:
        return settle(Decimal(repr(function(*map(float, values)))))
    except OverflowError:
        raise too_large() from None
    except ValueError:
        return None


def is_whole(number: Number) -> bool:
    """Whether a number has no fraction."""
    return isinstance(number, int) or number == number.to_integral_value()


_WIDE = Context(prec=7_000, Emin=-999_999, Emax=999_999, traps=[InvalidOperation])
_MIN_SCALE: Final = -6111
_MAX_SCALE: Final = 6176


def round_to(number: Number, scale: int, rounding: str) -> Number | None:
    """`number` with `scale` digits after its point, or so many zeros before it when below 0.

    Args:
        number: what is rounded.
        scale: digits after the point, from -6111 to 6176 as DECIMAL128 has them; else None.
        rounding: a rounding mode of `decimal`.

    Raises:
        LimitExceeded: the result is too large.
    """
    if not _MIN_SCALE <= scale <= _MAX_SCALE:
        return None
    if isinstance(number, int) and scale == 0:
        return number
    unit = Decimal((0, (1,), -scale))
    try:
        return settle(ARITHMETIC.plus(Decimal(number).quantize(unit, rounding, _WIDE)))
    except Overflow:
        raise too_large() from None
