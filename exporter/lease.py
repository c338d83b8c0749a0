from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from exporter.errors import LeaseHeld, StateUnavailable


class Lease:
    """The right to deliver a partition, held by one process; the system takes it back at its end.

    Take it with `with`. It is a lock on a file, so it ends with the process whatever becomes of
    that, and a file that was left behind means nothing.

    Args:
        state_dir: Directory that the processes share.
        name: What is held, such as `partition-1`.
    """

    def __init__(self, state_dir: Path, name: str) -> None:
        self._path = state_dir / f"{name}.lease"
        self._name = name
        self._file: int | None = None

    def __enter__(self) -> Self:
        """Take it.

        Raises:
            LeaseHeld: Another process has it.
            StateUnavailable: The file cannot be made.
        """
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StateUnavailable(
                f"{self._path} cannot be opened ({error.strerror}); check the state directory"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(file, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise LeaseHeld(
                f"{self._name} is delivered by another process already (pid {holder}); stop that "
                "one, or give this one another state directory and other partitions"
            ) from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
