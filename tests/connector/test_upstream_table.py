"""Every case of upstream's is run, or its reason is written down."""

from pathlib import Path

from tests.kit.upstream_cases import CASES, DIFFERENCES, GROUPS, NOT_OURS, group_of

HERE = Path(__file__).parent


def test_every_case_is_run_or_listed():
    """None of the 216 is forgotten, and none is both run and listed as nobody's."""
    assert len(CASES) == 216
    forgotten = [
        case["id"] for case in CASES if group_of(case) is None and case["id"] not in NOT_OURS
    ]
    assert [id_ for id_ in forgotten if id_ not in DIFFERENCES] == []
    assert not DIFFERENCES.keys() & NOT_OURS.keys()
    assert {*DIFFERENCES, *NOT_OURS} <= {case["id"] for case in CASES}


def test_every_group_has_a_test():
    """A group of cases is run by a test that asks for it by name."""
    sources = "".join(path.read_text() for path in HERE.glob("test_upstream_*.py"))
    sources += "".join(path.read_text() for path in HERE.glob("official/test_*.py"))
    used = [name for name in GROUPS if f'group("{name}"' in sources]
    # The first group is older than its name: its tests sort it further by what a case brings.
    assert sorted(used) == sorted(set(GROUPS) - {"result, error and retry"})
