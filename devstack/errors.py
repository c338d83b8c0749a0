"""What the cluster refuses, and why.

    DevstackError
    ├── CommandRejectedError      a command the engine refuses; Zeebe's rejection type in its name
    │   ├── InvalidArgumentError  INVALID_ARGUMENT  the command itself is wrong
    │   ├── NotFoundError         NOT_FOUND         what it names does not exist (any more)
    │   └── InvalidStateError     INVALID_STATE     what it names is in the wrong state for it
    └── RequestRefusedError       refused before a command is made of it
        ├── MalformedRequestError    variables that are no JSON object, a tenant that cannot be
        ├── BackPressureError        the cluster was told to take no more
        ├── PermissionRefusedError   another tenant's data
        ├── RequestTimedOutError     what was waited for did not come in time
        ├── UnsupportedError         Zeebe can do this and the embedded cluster cannot
        └── UnauthenticatedError     no token, or one that is no longer good

The gateway maps these to gRPC statuses, the HTTP APIs to HTTP statuses; the type decides, never
the text.
"""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override


class DevstackError(Exception):
    """Anything the cluster refuses; `str()` is what the caller is told."""


class CommandRejectedError(DevstackError):
    """The engine refuses a command.

    Args:
        intent: The command's intent, such as `COMPLETE`.
        reason: What was expected and what was found instead.
    """

    rejection_type: ClassVar[str]

    def __init__(self, intent: str, reason: str) -> None:
        super().__init__(intent, reason)
        self.intent = intent
        self.reason = reason

    @override
    def __str__(self) -> str:
        return f"Command '{self.intent}' rejected with code '{self.rejection_type}': {self.reason}"


class InvalidArgumentError(CommandRejectedError):
    """The command itself is wrong: sent again it fails again."""

    rejection_type = "INVALID_ARGUMENT"


class NotFoundError(CommandRejectedError):
    """What the command names does not exist, or not any more."""

    rejection_type = "NOT_FOUND"


class InvalidStateError(CommandRejectedError):
    """What the command names is not in a state that allows it."""

    rejection_type = "INVALID_STATE"


class RequestRefusedError(DevstackError):
    """A request that never becomes a command."""


class MalformedRequestError(RequestRefusedError):
    """The request cannot be read: variables that are no JSON object, a missing tenant."""


class BackPressureError(RequestRefusedError):
    """The cluster takes no more for now; the same request can be sent again later."""


class PermissionRefusedError(RequestRefusedError):
    """The request asks for a tenant that the caller may not see."""


class RequestTimedOutError(RequestRefusedError):
    """What the request waited for did not come in time."""


class UnsupportedError(RequestRefusedError):
    """Something that Zeebe can do and this stand-in cannot; the message names it."""


class UnauthenticatedError(RequestRefusedError):
    """The request carries no token, or one that is not (or no longer) good."""
