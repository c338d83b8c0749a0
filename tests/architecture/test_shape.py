"""The shape of the code: sizes, names, and a sentence for each test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("connector", "exporter", "worker", "feel", "runtime", "devstack", "bpmn")
SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
ALL_OF_TESTS = sorted((ROOT / "tests").rglob("*.py"))
WAITS = {"timeout": 0, "wait_for": 1, "eventually": 1}
"""Calls that give up after a while, by the place of that while among their arguments."""
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
EMPTY_NAMES = {"utils", "util", "common", "helper", "helpers", "manager", "misc", "base_utils"}


def shown(path):
    """A path as the test report shows it."""
    return str(path.relative_to(ROOT))


def functions(path):
    """The functions of a file, methods included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def test_there_is_something_to_look_at():
    """The checks below would pass on nothing."""
    assert len(SOURCES) > 100
    assert len(TESTS) > 50


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_a_module_can_be_read_in_one_go(path):
    """No module is longer than a reader holds in mind."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_MODULE_LINES


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_a_function_fits_on_a_screen(path):
    """No function is longer than a screen."""
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in functions(path)
        if node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES
    }
    assert long == {}


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_a_module_is_named_for_what_is_in_it(path):
    """A name that says nothing gathers everything."""
    assert not EMPTY_NAMES & {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}


@pytest.mark.parametrize("path", TESTS, ids=shown)
def test_a_test_says_what_it_proves(path):
    """Every test has a docstring that states a fact."""
    silent = [
        node.name
        for node in functions(path)
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


@pytest.mark.parametrize("path", ALL_OF_TESTS, ids=shown)
def test_a_test_waits_with_the_patience_that_all_share(path):
    """How long is too long hangs on the machine: no test has a number of seconds of its own."""
    impatient = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(limit_of(node), ast.Constant)
    ]
    assert impatient == []


def limit_of(call):
    """What a call that waits says of how long, None where it says nothing or does not wait."""
    name = ast.unparse(call.func).rpartition("asyncio.")[2]
    at = WAITS.get(name, len(call.args))
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    limit = call.args[at] if at < len(call.args) else named.get("within_s")
    return limit if name in WAITS else None
