"""The measure for speed in tests: the processor's time, compared with other work in the same run.

What other programs take from the machine is not in it, so that a busy one fails no test.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def cpu_s(action: Callable[[], object]) -> float:
    """Seconds of this process at work while `action` runs."""
    began_s = time.process_time()
    action()
    return time.process_time() - began_s


def least_cpu_s(action: Callable[[], object], times: int = 3) -> float:
    """The least of several measurements: what disturbs one only ever adds to it."""
    return min(cpu_s(action) for _ in range(times))


@contextmanager
def only_its_own_garbage() -> Iterator[None]:
    """Keep Python's collector from walking through all that the other tests' modules made.

    Where it would do that depends on what ran before, and it takes longer than what is measured.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
