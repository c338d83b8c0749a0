"""Arithmetic against `decimal`, list functions against plain Python, for any values."""

from __future__ import annotations

import math
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    localcontext,
)

from hypothesis import assume, given
from hypothesis import strategies as st

import feel

DECIMAL128 = Context(prec=34, rounding=ROUND_HALF_EVEN, traps=[DivisionByZero, InvalidOperation])
int64 = st.integers(-(2**63), 2**63 - 1)
fractions = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=6)
numbers = st.one_of(int64, fractions)
items = st.lists(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text("abc", max_size=2))
)
int_lists = st.lists(st.integers(-50, 50), max_size=20)


def evaluate(text, **context):
    return feel.compile(text).evaluate(context)


@given(numbers, numbers)
def test_sums_differences_and_products_are_those_of_decimal128(a, b):
    """`+`, `-` and `*` give what decimal arithmetic of 34 digits gives, rounded half to even."""
    assert evaluate("a + b", a=a, b=b) == DECIMAL128.add(Decimal(a), Decimal(b))
    assert evaluate("a - b", a=a, b=b) == DECIMAL128.subtract(Decimal(a), Decimal(b))
    assert evaluate("a * b", a=a, b=b) == DECIMAL128.multiply(Decimal(a), Decimal(b))


@given(numbers, numbers)
def test_quotients_are_those_of_decimal128_and_null_by_zero(a, b):
    """`/` gives what decimal division of 34 digits gives, and null where the divisor is 0."""
    quotient = evaluate("a / b", a=a, b=b)
    assert quotient is None if b == 0 else quotient == DECIMAL128.divide(Decimal(a), Decimal(b))


@given(st.integers(-99, 99), st.integers(0, 20))
def test_whole_powers_are_those_of_decimal128(base, exponent):
    """`**` with a whole exponent gives what decimal arithmetic of 34 digits gives."""
    assume((base, exponent) != (0, 0))
    assert evaluate("a ** b", a=base, b=exponent) == DECIMAL128.power(base, exponent)


@given(int64, int64)
def test_keys_of_64_bits_stay_exact(a, b):
    """Integers are compared, added and written exactly, far beyond what a double can hold."""
    assert evaluate("a = b", a=a, b=b) is (a == b)
    assert evaluate("a < b", a=a, b=b) is (a < b)
    assert evaluate("a + 1", a=a) == a + 1
    assert evaluate("number(string(a))", a=a) == a
    assert type(feel.to_json(evaluate("a", a=a))) is int


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_a_float_counts_as_the_number_that_python_prints_for_it(value):
    """0.1 is one tenth, whether it is written in the text or comes in as a float."""
    assert evaluate("x + 0", x=value) == DECIMAL128.plus(Decimal(repr(value)))


@given(fractions, st.integers(-3, 8))
def test_rounding_is_that_of_decimal(number, scale):
    """The rounding functions give what `quantize` gives in their modes."""
    unit = Decimal(1).scaleb(-scale)
    modes = {
        "floor": "ROUND_FLOOR",
        "ceiling": "ROUND_CEILING",
        "round up": "ROUND_UP",
        "round down": "ROUND_DOWN",
        "round half up": "ROUND_HALF_UP",
        "round half down": "ROUND_HALF_DOWN",
        "decimal": "ROUND_HALF_EVEN",
    }
    with localcontext() as context:
        context.prec = 60
        for function, mode in modes.items():
            rounded = evaluate(f"{function}(n, s)", n=number, s=scale)
            assert rounded == number.quantize(unit, rounding=mode)


@given(int_lists)
def test_functions_of_numbers_are_those_of_python(values):
    """Sums, extremes and the median of a list of numbers, and null of an empty one."""
    if not values:
        assert [evaluate(f"{name}([])") for name in ("sum", "min", "max", "mean")] == [None] * 4
        return
    assert evaluate("sum(v)", v=values) == sum(values)
    assert evaluate("product(v)", v=values[:6]) == math.prod(values[:6])
    assert evaluate("min(v)", v=values) == min(values)
    assert evaluate("max(v)", v=values) == max(values)
    ordered, middle = sorted(values), len(values) // 2
    expected = ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    assert evaluate("median(v)", v=values) == Decimal(str(expected))


@given(items, items)
def test_list_functions_are_those_of_python(first, second):
    """Joining, turning, counting and searching lists."""
    assert evaluate("concatenate(a, b)", a=first, b=second) == first + second
    assert evaluate("reverse(a)", a=first) == first[::-1]
    assert evaluate("count(a)", a=first) == len(first)
    assert evaluate("flatten([a, [b]])", a=first, b=second) == first + second
    assert evaluate("append(a, 1)", a=first) == [*first, 1]


@given(items)
def test_distinct_and_duplicate_values_count_what_is_equal(values):
    """1 and true are not equal in FEEL, though they are in Python."""
    keys = [(type(value), value) for value in values]
    distinct = [key[1] for number, key in enumerate(keys) if key not in keys[:number]]
    assert evaluate("distinct values(v)", v=values) == distinct
    duplicates = [
        key[1] for n, key in enumerate(keys) if key not in keys[:n] and keys.count(key) > 1
    ]
    assert evaluate("duplicate values(v)", v=values) == duplicates


@given(int_lists, st.integers(-25, 25))
def test_an_index_counts_from_1_and_from_the_end(values, index):
    """`v[1]` is the first item, `v[-1]` the last, and null stands for what is not there."""
    inside = 0 < index <= len(values) or -len(values) <= index < 0
    expected = values[index - 1 if index > 0 else index] if inside else None
    assert evaluate("v[i]", v=values, i=index) == expected


@given(int_lists, st.integers(-50, 50))
def test_filters_quantifiers_and_loops_are_those_of_python(values, limit):
    """A filter is a comprehension with a condition, `some` is any, `every` is all."""
    assert evaluate("v[item > n]", v=values, n=limit) == [v for v in values if v > limit]
    assert evaluate("for i in v return i * n", v=values, n=limit) == [v * limit for v in values]
    assert evaluate("some i in v satisfies i > n", v=values, n=limit) is any(
        v > limit for v in values
    )
    assert evaluate("every i in v satisfies i > n", v=values, n=limit) is all(
        v > limit for v in values
    )


@given(int_lists)
def test_sort_orders_by_its_function(values):
    """`sort` gives the order that its function describes."""
    assert evaluate("sort(v, function(a, b) a < b)", v=values) == sorted(values)
    assert evaluate("sort(v, function(a, b) a > b)", v=values) == sorted(values, reverse=True)


@given(st.text(max_size=20), st.text(max_size=3))
def test_text_functions_are_those_of_python(text, part):
    """Searching and cutting texts."""
    assert evaluate("contains(t, p)", t=text, p=part) is (part in text)
    assert evaluate("starts with(t, p)", t=text, p=part) is text.startswith(part)
    assert evaluate("ends with(t, p)", t=text, p=part) is text.endswith(part)
    assert evaluate("t + p", t=text, p=part) == text + part
    assert evaluate("upper case(t)", t=text) == text.upper()


@given(st.dates(), st.timedeltas(), st.integers(-2000, 2000))
def test_dates_move_by_durations_and_back(day, duration, months):
    """A date and a duration are the date of Python's own arithmetic, or null beyond its years."""
    moved = evaluate("d + x", d=day, x=duration)
    try:
        expected = day + duration
    except OverflowError:
        expected = None
    assert moved == expected
    later = evaluate("d + x", d=day, x=feel.YearsMonths(months))
    if later is not None:
        total = day.year * 12 + day.month + months
        assert later.year * 12 + later.month == total


@given(st.one_of(st.dates(), st.times(), st.datetimes(), st.timedeltas()))
def test_the_text_of_a_temporal_value_reads_back(value):
    """What `string` writes for a temporal value, `@"…"` reads."""
    text = evaluate("string(v)", v=value)
    assert feel.compile(f'@"{text}"').evaluate() == value
