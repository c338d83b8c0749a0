from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_NEW_OBJECTS: Final = 10_000
"""Python's own number is 700, which a hundred jobs in hand pass again and again: it then looks at
all of them, at a ninth of the CPU time of a job (measured), and finds nothing."""


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Let Python look for reference circles seldom, for as long as the block runs.

    The services make none as they work (tests hold them to it), so that what is no longer used
    goes at once and looking for circles is wasted time. What is there when the block begins, which
    is mostly code, is never looked at.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
