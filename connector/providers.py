from __future__ import annotations

from collections.abc import Mapping

from connector.secret_files import FileSecrets
from connector.secrets import EnvironmentSecrets, SecretProvider
from connector.settings import ConnectorSettings


def secret_providers(
    settings: ConnectorSettings,
    environ: Mapping[str, str],
) -> list[SecretProvider]:
    """Where secrets come from, in the order in which they are asked: files before environment."""
    providers: list[SecretProvider] = []
    if settings.secrets_dir is not None:
        providers.append(FileSecrets(settings.secrets_dir))
    providers.append(EnvironmentSecrets(environ, settings.secrets_prefix))
    return providers
