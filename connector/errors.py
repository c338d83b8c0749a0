"""Everything that can go wrong with one job, and what becomes of the job.

    ConnectorError                 the job fails; its type decides the retries
    ├── InputError                 the task must be mended: no retries left (0)
    │   ├── SecretsMissing         a secret that the inputs name is not there
    │   ├── HeaderInvalid          a task header that cannot be read
    │   ├── ResultInvalid          the result expression gave what a process cannot hold
    │   └── ErrorExpressionInvalid the error expression is broken, or gave no error object
    └── CallError                  may go better next time: one retry used
        ├── HttpError              an answer with status 400 or more
        ├── CallTimeout            no answer in time
        ├── ConnectionFailed       no connection, or it broke
        ├── TokenError             no access token
        ├── SecretsUnavailable     a store of secrets that cannot say just now
        ├── ResponseInvalid        an answer that is not what the API promises
        ├── RetryError             a connector that says itself how to go on
        ├── DeadlinePassed         the job belongs to another worker by now
        ├── JobTimeoutRefused      the gateway did not grant the time that the task asks for
        └── ExpressionBroken       a result expression that does not evaluate

The retries follow upstream's table (facts of the connector runtime, "error object and fail
command"): a fault of the inputs forces 0, anything else uses one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

_UPSTREAM = "io.camunda.connector.api.error."


class ConnectorError(Exception):
    """A job's failure, in words for the person who reads the incident.

    Attributes:
        message: what went wrong and what to change, without any value of the inputs.
        code: a short code that an error expression can compare, such as `404`.
        variables: what an error expression finds under `error.variables`.
        retry_after_s: seconds that the peer asked to wait before the next try.
    """

    uses_retry: ClassVar[bool] = True
    upstream_type: ClassVar[str] = _UPSTREAM + "ConnectorException"
    """`error.type` as Camunda's runtime names it, so that existing expressions keep working."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        variables: Mapping[str, object] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.variables = variables
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the inputs: where, and why, never the value."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class Faults:
    """Collects the faults of one section while it is read, so that one message names them all."""

    def __init__(self, section: str) -> None:
        self._section = section
        self.found: list[Fault] = []

    def add(self, path: str, reason: str) -> None:
        """Note that the input at `path` within the section is wrong."""
        self.found.append(Fault(f"{self._section}.{path}" if path else self._section, reason))


class InputError(ConnectorError):
    """The task's inputs cannot mean a request; `faults` has all of them at once."""

    uses_retry = False
    upstream_type = _UPSTREAM + "ConnectorInputException"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        lines = "".join(f"\n - {fault}" for fault in self.faults)
        what = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__(f"Mend the inputs of this task ({what}):{lines}")


class SecretsMissing(InputError):
    """One or more secrets that the inputs name have no value in any provider."""

    def __init__(self, names: Sequence[str], remedy: str) -> None:
        self.names = tuple(names)
        ConnectorError.__init__(self, _secrets_message(self.names, remedy))
        self.faults = tuple(Fault("", f"secret {name} is missing") for name in names)


class HeaderInvalid(InputError):
    """A task header cannot be read; the connector was not called."""

    def __init__(self, message: str) -> None:
        ConnectorError.__init__(self, message)
        self.faults = (Fault("", message),)


class ResultInvalid(InputError):
    """The result expression gave no object, too much, or a forbidden name."""

    def __init__(self, message: str) -> None:
        ConnectorError.__init__(self, message)
        self.faults = (Fault("", message),)


class ErrorExpressionInvalid(InputError):
    """The error expression failed; the message keeps the error that it was given."""

    def __init__(self, message: str) -> None:
        ConnectorError.__init__(self, message)
        self.faults = (Fault("", message),)


class CallError(ConnectorError):
    """The request was right as far as can be told; a later try may succeed."""


class HttpError(CallError):
    """The API answered with status 400 or more; `error.variables.response` has its answer."""


class CallTimeout(CallError):
    """No complete answer within the time that the job allows."""

    def __init__(self, message: str, *, cause: str | None = None) -> None:
        super().__init__(message, code="408", variables=_cause(cause))


class ConnectionFailed(CallError):
    """No connection to the API, or it broke; upstream's codes are `408` and for TLS its own."""

    def __init__(self, message: str, *, code: str = "408", cause: str | None = None) -> None:
        super().__init__(message, code=code, variables=_cause(cause))


class TokenError(CallError):
    """The token endpoint gave no token; `code` is its HTTP status when it answered with one."""


class SecretsUnavailable(CallError):
    """A store of secrets cannot say just now; the connector was not called."""


class ResponseInvalid(CallError):
    """The answer is not JSON, cut off, too large or of another shape than the API promises."""


class RetryError(CallError):
    """A connector says itself how to go on.

    Attributes:
        retries: what is left from now on, not counted down; None uses one as usual.
        backoff_ms: how long to wait; None leaves it to the task's header.
    """

    upstream_type = _UPSTREAM + "ConnectorRetryException"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retries: int | None = None,
        backoff_ms: int | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.retries = retries
        self.backoff_ms = backoff_ms


class JobTimeoutRefused(CallError):
    """The gateway did not grant the time that the task asks for; the connector was not called."""


class DeadlinePassed(CallError):
    """The time for this job is over; another worker has it, or will."""


class ExpressionBroken(CallError):
    """A result expression that cannot be evaluated: upstream lets it use a retry."""


def _cause(cause: str | None) -> Mapping[str, object] | None:
    """What is known beside a message whose words are upstream's."""
    return None if cause is None else {"cause": cause}


def _secrets_message(names: Sequence[str], remedy: str) -> str:
    if len(names) == 1:
        return f"Secret with name '{names[0]}' is not available. {remedy}"
    listed = ", ".join(f"'{name}'" for name in names)
    return f"Secrets with names {listed} are not available. {remedy}"
