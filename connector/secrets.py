from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr
from typing_extensions import override

from connector.errors import SecretsMissing
from worker.job import Job

BRACED = r"\{\{\s*secrets\.(?P<braced>\S{1,500}?)\s*\}\}"
BARE = r"secrets\.(?P<bare>(?:[A-Za-z0-9]+[/._-])*[A-Za-z0-9]+)"
"""Upstream's two syntaxes. A name in braces has a limit, so that the search for its end has one."""

_NO_SOURCE = (
    "This connector is set up without any secrets: let an operator set CONNECTOR_SECRETS_DIR."
)
_MARK = "secrets."
_REFERENCE = re.compile(rf"{BRACED}|(?<![A-Za-z0-9_.]){BARE}")
"""Both in one pass, so that what a secret expands to is never read again.

Unlike upstream, the bare form needs a boundary before it: `mysecrets.X` is left alone.
"""


class SecretProvider(Protocol):
    """Where secrets lie at hand: environment, files. Asked for one name at a time."""

    def get(self, name: str, job: Job) -> SecretStr | None:
        """The secret `name` for this job, or None when this provider has none of that name."""
        ...

    @property
    def remedy(self) -> str:
        """A sentence that tells an operator how to add a secret here."""
        ...


class SecretStore(ABC):
    """Where secrets have to be fetched from: Camunda's Console, a vault, a cloud's store."""

    @abstractmethod
    async def fetch(self, names: Sequence[str], job: Job) -> Mapping[str, SecretStr]:
        """Those of `names` that the store has; it is its own business to remember them.

        Raises:
            SecretsUnavailable: when the store cannot say just now.
        """

    @property
    @abstractmethod
    def remedy(self) -> str:
        """A sentence that tells an operator how to add a secret here."""


SecretSource = SecretProvider | SecretStore


@dataclass(frozen=True, slots=True)
class EnvironmentSecrets(SecretProvider):
    """Secrets from environment variables: secret `X` is `<prefix>X`.

    A tenant's or a process's secrets can be kept apart from those of others, by upstream's names:
    `<prefix><tenant id>_<process id>_X`, either part as asked for. Where no variable has exactly
    that name, dots and hyphens may be underscores and all letters capitals, as Spring reads an
    environment: many shells allow nothing else.
    """

    environ: Mapping[str, str]
    prefix: str
    by_tenant: bool = False
    by_process: bool = False

    @override
    def get(self, name: str, job: Job) -> SecretStr | None:
        tenant = f"{job.tenant_id}_" if self.by_tenant else ""
        process = f"{job.bpmn_process_id}_" if self.by_process else ""
        value = self._read(f"{self.prefix}{tenant}{process}{name}")
        # Bytes that are no UTF-8 arrive as surrogates, which no request can hold.
        return None if value is None else SecretStr(value.encode(errors="replace").decode())

    def _read(self, name: str) -> str | None:
        value = self.environ.get(name)
        if value is not None:
            return value
        spellings = [
            name,
            name.replace(".", "_"),
            name.replace("-", "_"),
            name.replace(".", "_").replace("-", "_"),
        ]
        spellings += [spelling.upper() for spelling in spellings]
        return next((self.environ[each] for each in spellings if each in self.environ), None)

    @property
    @override
    def remedy(self) -> str:
        tenant = "<tenant id>_" if self.by_tenant else ""
        process = "<process id>_" if self.by_process else ""
        return (
            f"Set the environment variable {self.prefix}{tenant}{process}<name> on the connector."
        )


@dataclass(frozen=True, slots=True)
class Resolved:
    """Inputs with every secret filled in, and the values that must not leave the process."""

    variables: Mapping[str, object]
    secrets: tuple[SecretStr, ...]


def may_name_secrets(json_text: str) -> bool:
    """Whether a JSON text can name a secret at all; far cheaper than to look at each value."""
    return _MARK in json_text or "\\u" in json_text


async def resolve(
    variables: Mapping[str, object],
    sources: Sequence[SecretSource],
    job: Job,
) -> Resolved:
    """Fill in the secrets that string values of `variables` name.

    Keys are left alone, and so is anything that is not a string: a secret cannot change the shape
    of the inputs. The first source that knows a name wins.

    Raises:
        SecretsMissing: with all the names that no source knows.
        SecretsUnavailable: when a store cannot say just now.
    """
    names = list(dict.fromkeys(_references(variables)))
    if not names:
        return Resolved(variables, ())
    secrets = await look_up(names, sources, job)
    filled = {key: _fill(value, secrets) for key, value in variables.items()}
    return Resolved(filled, tuple(secrets.values()))


async def look_up(
    names: Sequence[str],
    sources: Sequence[SecretSource],
    job: Job,
) -> Mapping[str, SecretStr]:
    """The secret of each name, from the first source that has it.

    Raises:
        SecretsMissing: with all the names that no source knows.
        SecretsUnavailable: when a store cannot say just now.
    """
    found: dict[str, SecretStr] = {}
    for source in sources:
        missing = [name for name in names if name not in found]
        if isinstance(source, SecretStore):
            fetched = await source.fetch(missing, job) if missing else {}
            found |= {name: fetched[name] for name in missing if name in fetched}
        else:
            asked = {name: source.get(name, job) for name in missing}
            found |= {name: secret for name, secret in asked.items() if secret is not None}
    missing = [name for name in names if name not in found]
    if missing:
        raise SecretsMissing(missing, " ".join(each.remedy for each in sources) or _NO_SOURCE)
    return found


def _references(value: object) -> Iterator[str]:
    """The names in all string values, in their order."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            if _MARK in item:
                for match in _REFERENCE.finditer(item):
                    yield match["braced"] or match["bare"]
        elif isinstance(item, dict):
            left.extend(reversed(item.values()))
        elif isinstance(item, list):
            left.extend(reversed(item))


def _fill(value: object, secrets: Mapping[str, SecretStr]) -> object:
    if isinstance(value, str):
        if _MARK not in value:
            return value
        return _REFERENCE.sub(
            lambda match: secrets[match["braced"] or match["bare"]].get_secret_value(),
            value,
        )
    if isinstance(value, dict):
        return {key: _fill(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, secrets) for item in value]
    return value
