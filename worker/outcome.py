"""What becomes of a job: a closed union that `match` with `assert_never` takes apart.

`variables_json` is a JSON object as UTF-8 bytes and goes to the gateway unread: protobuf text
fields take UTF-8 bytes, so that nothing is decoded and encoded again on the way.
"""

from __future__ import annotations

from dataclasses import dataclass

NO_VARIABLES = b"{}"


@dataclass(frozen=True, slots=True)
class Complete:
    """The job is done; `variables_json` is merged into the process."""

    variables_json: bytes = NO_VARIABLES


@dataclass(frozen=True, slots=True)
class Fail:
    """The job did not succeed.

    Attributes:
        retries: Tries left from now on; 0 raises an incident.
        message: What the incident shows.
        backoff_ms: How long the engine waits before it gives the job out again.
        variables_json: Variables for the task's own scope.
    """

    retries: int
    message: str
    backoff_ms: int = 0
    variables_json: bytes = NO_VARIABLES


@dataclass(frozen=True, slots=True)
class ThrowError:
    """A BPMN error: an error event with this code catches it, or an incident is raised.

    Attributes:
        code: The error's code.
        message: What an incident shows when nothing catches the error.
        variables_json: Variables for the scope of the catching event.
    """

    code: str
    message: str
    variables_json: bytes = NO_VARIABLES


Outcome = Complete | Fail | ThrowError
