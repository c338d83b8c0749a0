"""Why a test of a worker cannot go on.

DevstackError
└── TestingError
    ├── InstanceNotEndedError   it was still running when the time was over
    ├── InstanceStuckError      an incident holds it
    └── WorkerFailedError       the worker ended by itself
"""

from __future__ import annotations

from devstack.errors import DevstackError


class TestingError(DevstackError):
    """What a test waits for will not come; the message says what was seen instead."""

    __test__ = False  # its name would make pytest look for tests in it


class InstanceNotEndedError(TestingError):
    """The instance was still running when the time was over; names where it stands."""


class InstanceStuckError(TestingError):
    """An incident holds the instance; gives each incident's element and message."""


class WorkerFailedError(TestingError):
    """The worker ended by itself; its own error is the cause, or its exit code is named."""
