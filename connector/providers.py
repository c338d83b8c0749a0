from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aiohttp import ClientSession

from connector.console_secrets import ConsoleSecrets
from connector.secret_files import FileSecrets
from connector.secrets import EnvironmentSecrets, SecretSource
from connector.settings import ConnectorSettings
from runtime.clock import Clock
from runtime.oauth import TokenCache


def secret_sources(
    settings: ConnectorSettings,
    environ: Mapping[str, str],
    session: ClientSession,
    tokens: TokenCache,
    clock: Clock,
) -> list[SecretSource]:
    """Where secrets come from, in the order in which they are asked: what is at hand goes first."""
    sources: list[SecretSource] = []
    if settings.secrets_dir is not None:
        sources.append(FileSecrets(settings.secrets_dir))
    if settings.secrets_from_environment:
        sources.append(
            EnvironmentSecrets(
                environ,
                settings.secrets_prefix,
                by_tenant=settings.secrets_by_tenant,
                by_process=settings.secrets_by_process,
            )
        )
    if settings.secrets_from_console and settings.credentials is not None:
        sources.append(
            ConsoleSecrets(
                session,
                tokens,
                clock,
                endpoint=settings.console_endpoint,
                credentials=replace(settings.credentials, audience=settings.console_audience),
            )
        )
    return sources
