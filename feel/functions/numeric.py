from __future__ import annotations

import math
from datetime import timedelta
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from typing import Final

from feel import numbers
from feel.functions.registry import Category
from feel.numbers import Number, as_number
from feel.run import Run
from feel.values import Value, YearsMonths

NUMERIC = Category("Numeric functions")
_MODES: Final = {
    "UP": ROUND_UP,
    "DOWN": ROUND_DOWN,
    "CEILING": ROUND_CEILING,
    "FLOOR": ROUND_FLOOR,
    "HALF_UP": ROUND_HALF_UP,
    "HALF_DOWN": ROUND_HALF_DOWN,
    "HALF_EVEN": ROUND_HALF_EVEN,
}


@NUMERIC.function(
    "decimal",
    "n: number, scale: integer",
    ("decimal(1/3, 2)", "0.33"),
    ("decimal(1.5, 0)", "2"),
)
def decimal(_run: Run, number: Number, scale: int) -> Number | None:
    """The number rounded to a scale, half to even."""
    return numbers.round_to(number, scale, ROUND_HALF_EVEN)


@NUMERIC.function(
    "decimal", "n: number, scale: integer, mode: string", ('decimal(2.5, 0, "half_up")', "3")
)
def decimal_with_mode(_run: Run, number: Number, scale: int, mode: str) -> Number | None:
    """The number rounded to a scale in one of Java's rounding modes, in any case."""
    if mode.upper() == "UNNECESSARY":
        rounded = numbers.round_to(number, scale, ROUND_DOWN)
        return rounded if rounded == number else None
    rounding = _MODES.get(mode.upper())
    return None if rounding is None else numbers.round_to(number, scale, rounding)


@NUMERIC.function(
    "floor", "n: number, scale?: integer", ("floor(-1.5)", "-2"), ("floor(-1.56, 1)", "-1.6")
)
def floor(_run: Run, number: Number, scale: int | None = None) -> Number | None:
    """The number rounded towards minus infinity."""
    return numbers.round_to(number, scale or 0, ROUND_FLOOR)


@NUMERIC.function(
    "ceiling",
    "n: number, scale?: integer",
    ("ceiling(-1.5)", "-1"),
    ("ceiling(-1.56, 1)", "-1.5"),
)
def ceiling(_run: Run, number: Number, scale: int | None = None) -> Number | None:
    """The number rounded towards infinity."""
    return numbers.round_to(number, scale or 0, ROUND_CEILING)


@NUMERIC.function(
    "round up",
    "n: number, scale?: integer",
    ("round up(-5.5)", "-6"),
    ("round up(1.121, 2)", "1.13"),
)
def round_up(_run: Run, number: Number, scale: int | None = None) -> Number | None:
    """The number rounded away from zero."""
    return numbers.round_to(number, scale or 0, ROUND_UP)


@NUMERIC.function(
    "round down",
    "n: number, scale?: integer",
    ("round down(-5.5)", "-5"),
    ("round down(-1.126, 2)", "-1.12"),
)
def round_down(_run: Run, number: Number, scale: int | None = None) -> Number | None:
    """The number rounded towards zero."""
    return numbers.round_to(number, scale or 0, ROUND_DOWN)


@NUMERIC.function(
    "round half up",
    "n: number, scale?: integer",
    ("round half up(-5.5)", "-6"),
    ("round half up(1.121, 2)", "1.12"),
)
def round_half_up(_run: Run, number: Number, scale: int | None = None) -> Number | None:
    """The number rounded to the nearest, a half away from zero."""
    return numbers.round_to(number, scale or 0, ROUND_HALF_UP)


@NUMERIC.function(
    "round half down",
    "n: number, scale?: integer",
    ("round half down(5.5)", "5"),
    ("round half down(-1.126, 2)", "-1.13"),
)
def round_half_down(_run: Run, number: Number, scale: int | None = None) -> Number | None:
    """The number rounded to the nearest, a half towards zero."""
    return numbers.round_to(number, scale or 0, ROUND_HALF_DOWN)


@NUMERIC.function(
    "abs", "n: any", ("abs(-10)", "10"), ('abs(duration("-PT5H"))', 'duration("PT5H")')
)
def absolute(_run: Run, value: Value) -> Value:
    """The size of a number or of a duration, without its sign."""
    if isinstance(value, timedelta):
        return abs(value)
    if isinstance(value, YearsMonths):
        return YearsMonths(abs(value.months))
    number = as_number(value)
    return None if number is None else numbers.size(number)


@NUMERIC.function("abs", "number: any", ("abs(number: -10)", "10"))
def absolute_number(run: Run, number: Value) -> Value:
    """The same by the name that the DMN standard has for the parameter."""
    return absolute(run, number)


@NUMERIC.function(
    "modulo",
    "dividend: number, divisor: number",
    ("modulo(12, 5)", "2"),
    ("modulo(-12, 5)", "3"),
)
def modulo(_run: Run, dividend: Number, divisor: Number) -> Number | None:
    """What a division leaves over, with the sign of the divisor; null when that is 0."""
    if divisor == 0:
        return None
    if isinstance(dividend, int) and isinstance(divisor, int):
        return dividend % divisor
    quotient = numbers.divide(dividend, divisor)
    if quotient is None:
        return None
    whole = numbers.round_to(quotient, 0, ROUND_FLOOR)
    return None if whole is None else numbers.subtract(dividend, numbers.multiply(divisor, whole))


@NUMERIC.function("sqrt", "number: number", ("sqrt(16)", "4"), weight=50)
def sqrt(_run: Run, number: Number) -> Number | None:
    """The square root; null of a number below 0."""
    return numbers.with_doubles(math.sqrt, number)


@NUMERIC.function("log", "number: number", ("round half up(log(10), 6)", "2.302585"), weight=100)
def log(_run: Run, number: Number) -> Number | None:
    """The natural logarithm; null of a number that is not above 0."""
    return numbers.with_doubles(math.log, number)


@NUMERIC.function("exp", "number: number", ("round half up(exp(5), 6)", "148.413159"), weight=100)
def exp(_run: Run, number: Number) -> Number | None:
    """Euler's number to the power of a number."""
    return numbers.with_doubles(math.exp, number)


@NUMERIC.function("odd", "number: number", ("odd(5)", "true"), ("odd(2)", "false"))
def odd(_run: Run, number: Number) -> bool:
    """Whether a number is odd."""
    return numbers.is_whole(number) and int(number) % 2 == 1


@NUMERIC.function("even", "number: number", ("even(5)", "false"), ("even(2)", "true"))
def even(_run: Run, number: Number) -> bool:
    """Whether a number is even."""
    return numbers.is_whole(number) and int(number) % 2 == 0


@NUMERIC.function("random number", "", ("random number() < 1", "true"))
def random_number(_run: Run) -> Number:
    """A number from 0 up to but not including 1, not fit for secrets."""
    from random import random  # noqa: PLC0415 - keeps the import of the package short

    return numbers.settle(Decimal(repr(random())))  # noqa: S311 - said so
