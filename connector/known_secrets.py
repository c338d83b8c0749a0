from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from pydantic import SecretStr

from connector.redaction import Redaction

_CAPACITY = 10_000


class KnownSecrets:
    """The values of secrets that jobs have used, for masking what is shown of no single job.

    The status page shows where tokens come from, and that address may be a secret too. When there
    are very many, the one unused for longest is forgotten.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[SecretStr, None] = OrderedDict()

    def add(self, secrets: Iterable[SecretStr]) -> None:
        """Remember what a job used."""
        for secret in secrets:
            self._seen[secret] = None
            self._seen.move_to_end(secret)
        while len(self._seen) > _CAPACITY:
            self._seen.popitem(last=False)

    def redaction(self) -> Redaction:
        """What masks all of them."""
        return Redaction(tuple(self._seen))
