"""A name that a process has among its kind, the same after a restart on its state directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from exporter.errors import LeaseHeld, SourceUnavailable, StateUnavailable
from exporter.lease import Lease


@contextmanager
def lasting_name(state_dir: Path, kind: str) -> Iterator[str]:
    """Have the name that is kept in a directory; one process at a time has it.

    Args:
        state_dir: Where it is kept.
        kind: What is named, such as `kafka-member`.

    Raises:
        SourceUnavailable: Another process has it, or it cannot be kept.
    """
    try:
        lease = Lease.take(state_dir, kind)
    except (LeaseHeld, StateUnavailable) as error:
        raise SourceUnavailable(str(error)) from error
    with lease:
        yield _kept(state_dir / f"{kind}.name")


def _kept(path: Path) -> str:
    """The name that is kept at a path, made when there is none; written whole or not at all."""
    try:
        if path.exists():
            return path.read_text(encoding="utf-8")
        name, draft = uuid4().hex, path.with_suffix(".draft")
        draft.write_text(name, encoding="utf-8")
        os.replace(draft, path)  # noqa: PTH105 - the atomic call, by its known name
    except OSError as error:
        raise SourceUnavailable(f"{path} cannot be kept ({error.strerror})") from error
    return name
