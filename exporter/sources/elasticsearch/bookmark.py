from __future__ import annotations

from collections.abc import Mapping

import msgspec

from exporter.errors import SourceRefused
from exporter.progress import BEGINNING, Progress


class Bookmark(msgspec.Struct, frozen=True):
    """How far a partition was read.

    Attributes:
        after: Position of the last document; -1 before the first.
        sequences: Last number by value type, for those documents that have one.
    """

    after: int = -1
    sequences: Mapping[str, int] = {}

    @property
    def text(self) -> str:
        """What `read_bookmark` understands."""
        return msgspec.json.encode(self).decode()


def read_bookmark(progress: Progress) -> Bookmark:
    """Where to read on.

    Without a bookmark that is behind the position, since records have the index's order.

    Raises:
        SourceRefused: It was written for another kind of source.
    """
    if progress.bookmark == BEGINNING:
        return Bookmark(progress.position)
    try:
        return msgspec.json.decode(progress.bookmark, type=Bookmark)
    except msgspec.DecodeError as error:
        raise SourceRefused(
            "the state file holds the place in a source of another kind; give "
            "APP_INTEGRATIONS_STATE_DIR another directory, or begin with --from-beginning or "
            "--from-position PARTITION:POSITION"
        ) from error
