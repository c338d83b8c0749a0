from __future__ import annotations

from devstack.errors import DevstackError


class SearchError(DevstackError):
    """A request that is refused.

    Attributes:
        status: HTTP status.
        kind: Elasticsearch's name of the error.
        reason: in words.
    """

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.kind = kind
        self.reason = reason
