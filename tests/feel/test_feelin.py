"""A cross-check with feelin: where the two engines differ, the difference is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kit.feel_cases import CASES, RAISES
from tests.kit.feel_values import same
from tests.kit.feelin import Feelin

DIFFERENCES = json.loads(Path(__file__).with_name("feelin_differences.json").read_text("utf-8"))
CONNECTOR_FUNCTIONS = "connector"


@pytest.mark.slow
def test_feelin_differs_only_where_it_is_known_to():
    """Apart from the listed cases, feelin comes to the results that our engine comes to."""
    known = {number for numbers in DIFFERENCES.values() for number in numbers}
    with Feelin() as feelin:
        different = {case["id"] for case in CASES if not _agrees(feelin, case)}
    assert different == known


def _agrees(feelin, case):
    if case["cat"] == CONNECTOR_FUNCTIONS:
        return True
    answer = feelin.ask(case["expr"], case["ctx"])
    return same(RAISES if "error" in answer else answer["value"], case["expected"])
