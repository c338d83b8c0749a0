from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr
from typing_extensions import override

from connector.errors import SecretsMissing
from worker.job import Job

_REFERENCE = re.compile(
    r"\{\{\s*secrets\.(?P<braced>\S+?)\s*\}\}"
    r"|(?<![A-Za-z0-9_.])secrets\.(?P<bare>(?:[A-Za-z0-9]+[/._-])*[A-Za-z0-9]+)",
)
"""Upstream's two syntaxes in one pass, so that what a secret expands to is never read again.

Unlike upstream, the bare form needs a boundary before it: `mysecrets.X` is left alone.
"""


class SecretProvider(Protocol):
    """Where secrets come from: environment, files, a vault."""

    def get(self, name: str, job: Job) -> SecretStr | None:
        """The secret `name` for this job, or None when this provider has none of that name."""
        ...

    @property
    def remedy(self) -> str:
        """A sentence that tells an operator how to add a secret here."""
        ...


class EnvironmentSecrets(SecretProvider):
    """Secrets from environment variables: secret `X` is `<prefix>X`."""

    def __init__(self, environ: Mapping[str, str], prefix: str) -> None:
        self._environ = environ
        self._prefix = prefix

    @override
    def get(self, name: str, job: Job) -> SecretStr | None:
        value = self._environ.get(self._prefix + name)
        return None if value is None else SecretStr(value)

    @property
    @override
    def remedy(self) -> str:
        return f"Set the environment variable {self._prefix}<name> on the connector."


@dataclass(frozen=True, slots=True)
class Resolved:
    """Inputs with every secret filled in, and the values that must not leave the process."""

    variables: Mapping[str, object]
    secrets: tuple[SecretStr, ...]


def resolve(
    variables: Mapping[str, object],
    providers: Sequence[SecretProvider],
    job: Job,
) -> Resolved:
    """Fill in the secrets that string values of `variables` name.

    Keys are left alone, and so is anything that is not a string: a secret cannot change the shape
    of the inputs. The first provider that knows a name wins.

    Raises:
        SecretsMissing: with all the names that no provider knows.
    """
    names = list(dict.fromkeys(_references(variables)))
    if not names:
        return Resolved(variables, ())
    found = {name: _look_up(name, providers, job) for name in names}
    missing = [name for name, secret in found.items() if secret is None]
    if missing:
        raise SecretsMissing(missing, " ".join(provider.remedy for provider in providers))
    secrets = {name: secret for name, secret in found.items() if secret is not None}
    filled = {key: _fill(value, secrets) for key, value in variables.items()}
    return Resolved(filled, tuple(secrets.values()))


def _look_up(name: str, providers: Sequence[SecretProvider], job: Job) -> SecretStr | None:
    for provider in providers:
        secret = provider.get(name, job)
        if secret is not None:
            return secret
    return None


def _references(value: object) -> Iterator[str]:
    match value:
        case str():
            for match in _REFERENCE.finditer(value):
                yield match["braced"] or match["bare"]
        case Mapping():
            for item in value.values():
                yield from _references(item)
        case list():
            for item in value:
                yield from _references(item)
        case _:
            pass


def _fill(value: object, secrets: Mapping[str, SecretStr]) -> object:
    match value:
        case str():
            return _REFERENCE.sub(
                lambda match: secrets[match["braced"] or match["bare"]].get_secret_value(),
                value,
            )
        case Mapping():
            return {key: _fill(item, secrets) for key, item in value.items()}
        case list():
            return [_fill(item, secrets) for item in value]
        case _:
            return value
