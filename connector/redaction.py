from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import SecretStr

MASK = "***"


class Redaction:
    """Replaces the values of one job's secrets by `***` in whatever leaves the process.

    Longer values go first, so that a secret which contains another is masked whole.
    """

    def __init__(self, secrets: Sequence[SecretStr] = ()) -> None:
        values = {secret.get_secret_value() for secret in secrets}
        self._values = sorted((value for value in values if value), key=len, reverse=True)

    def text(self, text: str) -> str:
        """`text` with every secret masked."""
        for value in self._values:
            text = text.replace(value, MASK)
        return text

    def value(self, value: object) -> object:
        """A copy of a JSON value with every secret masked, keys included."""
        if not self._values:
            return value
        match value:
            case str():
                return self.text(value)
            case Mapping():
                return {self.text(str(key)): self.value(item) for key, item in value.items()}
            case list() | tuple():
                return [self.value(item) for item in value]
            case _:
                return value
