"""How the tests of FEEL compare a result with the JSON value that is expected."""

from __future__ import annotations

import math

RELATIVE_DIFFERENCE = 1e-12


def same(actual, expected) -> bool:
    """Whether two JSON values are the same: whole numbers exactly, others nearly."""
    if isinstance(actual, bool) or isinstance(expected, bool) or actual is None or expected is None:
        return actual is expected
    if isinstance(actual, int) and isinstance(expected, int):
        return actual == expected
    if isinstance(actual, int | float) and isinstance(expected, int | float):
        return math.isclose(actual, expected, rel_tol=RELATIVE_DIFFERENCE)
    return type(actual) is type(expected) and _same_compound(actual, expected)


def _same_compound(actual, expected) -> bool:
    if isinstance(actual, list):
        return len(actual) == len(expected) and all(map(same, actual, expected))
    if isinstance(actual, dict):
        return actual.keys() == expected.keys() and all(
            same(actual[key], expected[key]) for key in actual
        )
    return actual == expected
