from __future__ import annotations

import pytest

from devstack.version import Version


@pytest.mark.parametrize(("text", "minor"), [("8.3", 3), ("8.10", 10), ("8.8.3", 8)])
def test_a_version_is_read_with_or_without_a_patch(text, minor):
    """Only the minor version decides anything."""
    assert Version.parse(text) == Version(minor)


@pytest.mark.parametrize("text", ["8.2", "8.11", "7.21", "8", "latest", "8.8-SNAPSHOT", ""])
def test_other_versions_are_refused(text):
    """What devstack knows nothing about it does not pretend to be."""
    with pytest.raises(ValueError, match=r"8\.3 to 8\.10"):
        Version.parse(text)


def test_versions_are_in_order():
    """8.10 comes after 8.9, and is written so."""
    assert Version.parse("8.9") < Version.parse("8.10")
    assert str(Version(10)) == "8.10"


@pytest.mark.parametrize(
    ("text", "v1", "user_tasks"),
    [
        ("8.4", True, None),
        ("8.5", True, "/v1/user-tasks"),
        ("8.6", True, "/v2/user-tasks"),
        ("8.9", True, "/v2/user-tasks"),
        ("8.10", False, "/v2/user-tasks"),
    ],
)
def test_a_version_has_its_apis(text, v1, user_tasks):
    """The API v1 is gone with 8.10; user tasks over REST came with 8.5."""
    version = Version.parse(text)
    assert (version.has_operate_v1, version.user_task_path) == (v1, user_tasks)
