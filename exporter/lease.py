from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from exporter.errors import LeaseHeld, StateUnavailable


class Lease:
    """The right to deliver a partition, held by one process; the system takes it back at its end.

    It is a lock on a file, so it ends with the process whatever becomes of that, and a file that
    was left behind means nothing. Hold it with `with Lease.take(…):`.
    """

    def __init__(self, file: int) -> None:
        self._file = file

    @classmethod
    def take(cls, state_dir: Path, name: str) -> Lease:
        """Take a lease, if nobody has it.

        Args:
            state_dir: Directory that the processes share.
            name: What is held, such as `partition-1`.

        Raises:
            LeaseHeld: Another process has it.
            StateUnavailable: Its file cannot be made.
        """
        path = state_dir / f"{name}.lease"
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StateUnavailable(
                f"{path} cannot be opened ({error.strerror}); check the state directory"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(file, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise LeaseHeld(
                f"{name} is held by another process already (pid {holder}); stop that one, or give "
                "this one a state directory and partitions of its own"
            ) from error
        # Who holds it is a hint for people; a disk that is full takes nothing from the lock itself.
        with suppress(OSError):
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        return cls(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._file)
