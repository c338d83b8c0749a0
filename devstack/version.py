from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_VERSION = re.compile(r"8\.(\d{1,2})(?:\.\d+)?")
OLDEST_MINOR = 3
NEWEST_MINOR = 10


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A Camunda 8 minor version, which decides what APIs a cluster serves and how one logs in.

    Sources: the OpenAPI descriptions by version (field sets), the documentation (log-in) and the
    release notes (what came and went when).
    """

    minor: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `8.8` or `8.8.3`.

        Raises:
            ValueError: when the text is no version between 8.3 and 8.10.
        """
        match = _VERSION.fullmatch(text)
        if match is None or not OLDEST_MINOR <= int(match[1]) <= NEWEST_MINOR:
            raise ValueError(f"a version from 8.{OLDEST_MINOR} to 8.{NEWEST_MINOR}, not {text!r}")
        return cls(int(match[1]))

    @property
    def has_operate_v1(self) -> bool:
        """The Operate API v1 is gone from 8.10 on."""
        return self.minor < 10  # noqa: PLR2004 - the version in which it was removed

    @property
    def user_task_path(self) -> str | None:
        """Where user tasks are changed over REST; Zeebe has none before 8.5."""
        if self.minor >= 6:  # noqa: PLR2004 - /v1 became /v2 with 8.6
            return "/v2/user-tasks"
        return "/v1/user-tasks" if self.minor == 5 else None  # noqa: PLR2004 - the first REST API

    @property
    def has_listener_jobs(self) -> bool:
        """Jobs over REST tell what user task a listener is told of from 8.8 on."""
        return self.minor >= 8  # noqa: PLR2004 - the version of `listenerEventType`

    @property
    def has_global_listeners(self) -> bool:
        """Listeners of every user task, beside those in the model."""
        return self.minor >= 9  # noqa: PLR2004 - the version that brought them

    @property
    def is_one_application(self) -> bool:
        """From 8.8 on one application serves everything, with one way to log in."""
        return self.minor >= 8  # noqa: PLR2004 - the version of the merger

    def __str__(self) -> str:
        return f"8.{self.minor}"
