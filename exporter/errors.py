"""What can go wrong in the exporter, apart from a backend that is away (a value, not an error).

    ServiceError (runtime)
    └── ExporterError
        ├── RecordError              a record that cannot become an event     set aside
        ├── SourceError              records cannot be had
        │   ├── SourceUnavailable    away, or asks to wait                    asked again, for ever
        │   └── SourceRefused        wrong credentials, address or content    the service stops
        ├── StateError               positions and dead letters cannot be used
        │   ├── StateUnavailable     disk full, locked, not writable          tried again, for ever
        │   └── StateUnusable        cut, empty, foreign or newer             the service stops
        ├── InboxFull                no room for what is pushed to us         the sender comes again
        ├── DeadLettersFull          no room to set aside                     the lane waits
        └── LeaseHeld                another process owns the partition       the service stops

The type decides what happens next; a message only tells the reader what to change.
"""

from __future__ import annotations

from runtime.errors import ServiceError


class ExporterError(ServiceError):
    """The root of this package's errors."""


class RecordError(ExporterError):
    """A record that cannot become an event; the message never shows its values."""


class SourceError(ExporterError):
    """Records cannot be had from the source."""


class SourceUnavailable(SourceError):
    """The source is away or asks to wait; nothing has to be changed for it to come back.

    Attributes:
        retry_after_s: Seconds that it asked to wait, None when it did not say.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SourceRefused(SourceError):
    """The source will not work until somebody changes a setting or the source itself."""


class StateError(ExporterError):
    """The state file cannot be used."""


class StateUnavailable(StateError):
    """The state file cannot be written now: disk full, locked or not permitted."""


class StateUnusable(StateError):
    """The state file is not what this version wrote; it is never replaced without being told to."""


class PositionWentBack(StateError):
    """A partition is further in the state file than this process, which owns it, has brought it."""


class InboxFull(ExporterError):
    """The inbox of a source that is pushed to has reached its size limit; nothing was kept."""


class DeadLettersFull(ExporterError):
    """The dead letters have reached their size limit; nothing was set aside and nothing dropped."""


class LeaseHeld(ExporterError):
    """Another process delivers this partition."""
