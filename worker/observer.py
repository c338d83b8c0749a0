from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from typing_extensions import override

from worker.errors import GatewayError


class Ending(StrEnum):
    """How a job left the worker."""

    COMPLETED = "completed"
    FAILED = "failed"
    ERROR_THROWN = "error_thrown"
    HANDED_BACK = "handed_back"
    """Given back untouched or unfinished, because the worker stops."""
    GONE = "gone"
    """The gateway did not know the job any more when its outcome came."""
    OVERDUE = "overdue"
    """Its deadline passed before or while it was handled; it is another worker's by now."""
    UNDELIVERED = "undelivered"
    """The gateway did not take the outcome before the job's deadline, or refused it."""


class Observer(Protocol):
    """Sees what one worker does; called in the event loop, so it must not block or raise."""

    def jobs_activated(self, count: int) -> None:
        """The gateway gave `count` jobs at once."""
        ...

    def jobs_in_hand(self, count: int) -> None:
        """So many jobs are held now."""
        ...

    def job_ended(self, ending: Ending, duration_s: float) -> None:
        """A job left the worker `duration_s` seconds after it came."""
        ...

    def command_retried(self, error: GatewayError) -> None:
        """A command failed for `error` and is sent again."""
        ...

    def poll_failed(self, error: GatewayError) -> None:
        """A poll or stream failed for `error` and is opened again."""
        ...


class NoObserver(Observer):
    """Looks away."""

    @override
    def jobs_activated(self, count: int) -> None:
        pass

    @override
    def jobs_in_hand(self, count: int) -> None:
        pass

    @override
    def job_ended(self, ending: Ending, duration_s: float) -> None:
        pass

    @override
    def command_retried(self, error: GatewayError) -> None:
        pass

    @override
    def poll_failed(self, error: GatewayError) -> None:
        pass
