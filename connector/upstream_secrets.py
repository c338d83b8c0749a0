"""Secrets as upstream fills them in, hazards included; only with CONNECTOR_UPSTREAM_SECRETS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from pydantic import SecretStr

from connector.secrets import BARE, BRACED, SecretSource, look_up
from worker.job import Job

_PASSES = (re.compile(BRACED), re.compile(BARE))


@dataclass(frozen=True, slots=True)
class ResolvedText:
    """The text with every secret filled in, and the values that must not leave the process."""

    text: str
    secrets: tuple[SecretStr, ...]


async def resolve_text(text: str, sources: Sequence[SecretSource], job: Job) -> ResolvedText:
    """Fill in secrets over the whole text of the variables, as upstream does.

    Keys are replaced too, `mysecrets.X` counts as a reference, a reference that is not within
    quotes can make a number, and what a secret in braces expands to is searched for bare ones.

    Raises:
        SecretsMissing: with the names that no source knows.
        SecretsUnavailable: when a store cannot say just now.
    """
    used: dict[str, SecretStr] = {}
    for pattern in _PASSES:
        names = list(dict.fromkeys(match[1] for match in pattern.finditer(text)))
        if names:
            secrets = await look_up(names, sources, job)
            used |= secrets
            escaped = {name: _escaped(secret) for name, secret in secrets.items()}
            text = pattern.sub(lambda match, by=escaped: by[match[1]], text)  # type: ignore[misc]  # mypy has no type for a lambda's default
    return ResolvedText(text, tuple(used.values()))


def _escaped(secret: SecretStr) -> str:
    """The value as it stands between the quotes of a JSON string."""
    return orjson.dumps(secret.get_secret_value()).decode()[1:-1]
