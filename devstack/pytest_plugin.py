"""pytest fixtures for the tests of a worker: `pytest_plugins = ["devstack.pytest_plugin"]`.

def test_the_card_is_charged(camunda):
    with camunda.worker(work):
        assert camunda.run("order.bpmn", {"total": 42}).variables["paid"] is True
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devstack.stack import StackOptions
from devstack.testing import EmbeddedCluster


@pytest.fixture
def camunda_options() -> StackOptions:
    """What kind of cluster `camunda` is; define it anew in a test module to change that."""
    return StackOptions(port_base=0)


@pytest.fixture
def camunda(camunda_options: StackOptions) -> Iterator[EmbeddedCluster]:
    """An empty Camunda cluster on free ports of this machine, for one test."""
    with EmbeddedCluster.running(camunda_options) as cluster:
        yield cluster
