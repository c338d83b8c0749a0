"""What can go wrong in the demo; each of these ends it with exit code 1.

DemoError
├── ServiceFailedError   a service did not get ready, ended, or did not stop as it should
└── StoryFailedError     the cluster refused something, or an instance did not come to its end
"""

from __future__ import annotations

from collections.abc import Sequence


class DemoError(Exception):
    """Base of all; its text is the one line that says what failed."""


class ServiceFailedError(DemoError):
    """A service failed. `last_lines` are the end of its log, oldest first."""

    def __init__(self, message: str, last_lines: Sequence[str]) -> None:
        super().__init__(message)
        self.last_lines = tuple(last_lines)


class StoryFailedError(DemoError):
    """Something in a story did not happen as it should."""
