from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from urllib.parse import quote, quote_plus, urlsplit

from pydantic import SecretStr

MASK = "***"
PUBLIC = frozenset({"operate", "secret", "demo"})
"""Credentials that everybody knows, from devstack and Camunda's own examples. They are also words
of our messages and of every model, which masking would garble: `cluster.***Url`, a BPMN error code
that nothing catches."""
_SHORTEST_DISGUISED = 4
"""Shorter values are masked only as they are: other forms of them are found in any text."""


class Redaction:
    """Replaces the values of one job's secrets by `***` in whatever leaves the process.

    A server may repeat a secret in another form than it was given in, so the usual ones are masked
    as well: escaped for JSON, URLs or HTML, in base64, and the host of a URL. Longer ones go first,
    so that a secret which contains another is masked whole.
    """

    def __init__(self, secrets: Sequence[SecretStr] = ()) -> None:
        self._secrets = secrets

    @cached_property
    def _values(self) -> list[str]:
        # Made when the first text is masked: most jobs end without one.
        values = {secret.get_secret_value() for secret in self._secrets} - PUBLIC
        forms = {form for value in values for form in _forms(value)}
        return sorted((form for form in forms if form), key=len, reverse=True)

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


def _forms(value: str) -> Iterator[str]:
    yield value
    if len(value) < _SHORTEST_DISGUISED:
        return
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield quote(value)
    yield quote(value, safe="")
    yield quote_plus(value)
    yield html.escape(value)
    yield from _within_base64(value.encode(errors="replace"))
    if value.startswith(("http://", "https://")):
        yield _host(value)


def _within_base64(value: bytes) -> Iterator[str]:
    """What base64 makes of the value wherever it begins in a longer text, as in `user:password`.

    Three bytes become four letters, so a value can begin in three ways; the letters at its ends
    depend on what is around it and are left out.
    """
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + value).decode()
        inner = encoded[-(-before * 8 // 6) : (before + len(value)) * 8 // 6]
        if len(inner) >= _SHORTEST_DISGUISED:
            yield inner


def _host(url: str) -> str:
    """Host and port of a URL that is a secret: messages name the origin of what was called."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""
