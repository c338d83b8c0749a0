"""A cluster for the tests of a worker: plain calls, no event loop of one's own needed.

    EmbeddedCluster   runs a `Stack` in a thread, deploys, starts and waits
    ProcessInstance   what became of an instance
    WorkerThread      runs an asynchronous worker beside the test
    Program           runs a worker that is a program of its own

`devstack.pytest_plugin` gives the first one to tests as the fixture `camunda`.
"""

from devstack.testing.cluster import EmbeddedCluster
from devstack.testing.errors import (
    InstanceNotEndedError,
    InstanceStuckError,
    TestingError,
    WorkerFailedError,
)
from devstack.testing.instance import ProcessInstance

__all__ = [
    "EmbeddedCluster",
    "InstanceNotEndedError",
    "InstanceStuckError",
    "ProcessInstance",
    "TestingError",
    "WorkerFailedError",
]
