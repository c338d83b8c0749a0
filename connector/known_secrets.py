from __future__ import annotations

from collections.abc import Iterable

from pydantic import SecretStr

from connector.redaction import Redaction

_CAPACITY = 1000


class KnownSecrets:
    """The values of secrets that jobs have used, for masking what is shown of no single job.

    The status page shows where tokens come from, and that address may be a secret too. When there
    are very many, the oldest is forgotten.
    """

    def __init__(self) -> None:
        # By value: comparing `SecretStr` costs more than the rest of this.
        self._seen: dict[str, SecretStr] = {}

    def add(self, secrets: Iterable[SecretStr]) -> None:
        """Remember what a job used."""
        for secret in secrets:
            value = secret.get_secret_value()
            if value not in self._seen:
                self._seen[value] = secret
                if len(self._seen) > _CAPACITY:
                    del self._seen[next(iter(self._seen))]

    def redaction(self) -> Redaction:
        """What masks all of them."""
        return Redaction(tuple(self._seen.values()))
