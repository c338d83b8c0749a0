from __future__ import annotations

import os
from pathlib import Path

from pydantic import SecretStr
from typing_extensions import override

from connector.secrets import SecretProvider
from worker.job import Job

_Stamp = tuple[int, int, int]


def is_readable(directory: Path) -> bool:
    """Whether secrets can be read from `directory` just now; it may still be mounted later."""
    return directory.is_dir() and os.access(directory, os.R_OK | os.X_OK)


class FileSecrets(SecretProvider):
    """Secrets from a directory, one file a secret, as Kubernetes and Docker mount them.

    A file is read again when it changed. Its last line end does not belong to the secret.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read: dict[str, tuple[_Stamp, SecretStr]] = {}

    @override
    def get(self, name: str, job: Job) -> SecretStr | None:
        # A name comes from a BPMN file: it must not lead out of the directory.
        if ".." in Path(name).parts or Path(name).is_absolute():
            return None
        path = self._directory / name
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            known = self._read.get(name)
            if known is not None and known[0] == stamp:
                return known[1]
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            # Not there, no UTF-8, or a name that no file can have.
            return None
        secret = SecretStr(text.removesuffix("\n").removesuffix("\r"))
        self._read[name] = (stamp, secret)
        return secret

    @property
    @override
    def remedy(self) -> str:
        return f"Put a file of that name into the directory {self._directory}."
