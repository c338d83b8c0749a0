"""`+ - * / **` and the sign over numbers, texts and temporal values."""

from __future__ import annotations

from feel import numbers
from feel.numbers import as_number
from feel.run import Run, warn_operands
from feel.temporal import arithmetic as temporal
from feel.values import Value


def add(run: Run, left: Value, right: Value) -> Value:
    """`left + right`; texts are joined; null when the types do not go together."""
    a = as_number(left)
    if a is not None and (b := as_number(right)) is not None:
        return numbers.add(a, b)
    if isinstance(left, str) and isinstance(right, str):
        run.charge_text(len(left) + len(right))
        return left + right
    return _temporal(run, "+", temporal.add(left, right), left, right)


def subtract(run: Run, left: Value, right: Value) -> Value:
    """`left - right`; null when the types do not go together."""
    a = as_number(left)
    if a is not None and (b := as_number(right)) is not None:
        return numbers.subtract(a, b)
    return _temporal(run, "-", temporal.subtract(left, right), left, right)


def multiply(run: Run, left: Value, right: Value) -> Value:
    """`left * right`; null when the types do not go together."""
    a, b = as_number(left), as_number(right)
    if a is not None and b is not None:
        return numbers.multiply(a, b)
    product = None
    if a is not None:
        product = temporal.scale(right, a)
    elif b is not None:
        product = temporal.scale(left, b)
    return _temporal(run, "*", product, left, right)


def divide(run: Run, left: Value, right: Value) -> Value:
    """`left / right`; null when the types do not go together or `right` is zero."""
    a, b = as_number(left), as_number(right)
    if a is not None and b is not None:
        number = numbers.divide(a, b)
        if number is None:
            run.warn("no-number", "cannot divide by zero")
        return number
    quotient = temporal.shrink(left, b) if b is not None else temporal.ratio(left, right)
    return _temporal(run, "/", quotient, left, right)


def power(run: Run, left: Value, right: Value) -> Value:
    """`left ** right`; null where there is no such number."""
    base, exponent = as_number(left), as_number(right)
    if base is None or exponent is None:
        warn_operands(run, "**", left, right)
        return None
    run.charge(20)
    result = numbers.power(base, exponent)
    if result is None:
        run.warn("no-number", "there is no number that is this power")
    return result


def negate(run: Run, operand: Value) -> Value:
    """`-operand`; null when it is no number and no duration."""
    number = as_number(operand)
    negative = numbers.negative(number) if number is not None else temporal.scale(operand, -1)
    if negative is None:
        warn_operands(run, "-", operand, operand)
    return negative


def _temporal(run: Run, operator: str, result: Value, left: Value, right: Value) -> Value:
    if result is None:
        warn_operands(run, operator, left, right)
    return result
