from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from exporter.progress import BEGINNING

_SIGN_BYTES = 6
_SIGN_LENGTH = 8


class Bookmark(msgspec.Struct, frozen=True):
    """How far a lane has read each file.

    Attributes:
        offsets: Of files that may have more to read, by identity.
        finished: A sign (`sign`) for each file that was read to its end, one after the other: there
            may be thousands of them.
        partitions: All that stand in what was read, written down every one of them.
    """

    offsets: Mapping[str, int] = {}
    finished: str = ""
    partitions: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """What `read_bookmark` understands."""
        return msgspec.json.encode(self).decode()

    @property
    def signs(self) -> set[str]:
        """Those of `finished`, one by one."""
        text = self.finished
        return {text[at : at + _SIGN_LENGTH] for at in range(0, len(text), _SIGN_LENGTH)}


def read_bookmark(text: str) -> Bookmark:
    """Where to read on."""
    return Bookmark() if text == BEGINNING else msgspec.json.decode(text, type=Bookmark)


def sign(identity: str, size_bytes: int) -> str:
    """Stands for a file that had this size when it was read to its end."""
    digest = blake2b(f"{identity} {size_bytes}".encode(), digest_size=_SIGN_BYTES).digest()
    return b64encode(digest).decode()
