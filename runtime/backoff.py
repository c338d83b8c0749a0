from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Random = Callable[[], float]
"""Gives a number in [0, 1), like `random.random`."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before the next try: exponential, capped, with full-range jitter.

    The wait before try `attempt` (1-based, the first repeat is 1) is drawn evenly from
    `[(1 - jitter) * d, d]` with `d = min(cap_s, first_s * factor ** (attempt - 1))`. The jitter
    only ever shortens a wait, so `cap_s` is a promise.
    """

    first_s: float = 0.1
    factor: float = 2.0
    cap_s: float = 5.0
    jitter: float = 0.5

    def delay_s(self, attempt: int, random: Random) -> float:
        """Seconds to wait before the `attempt`-th repeat (1-based)."""
        # The exponent is bounded so that a wait that never ends does not overflow a float.
        ceiling_s = min(self.cap_s, self.first_s * self.factor ** min(attempt - 1, 64))
        return float(ceiling_s * (1 - self.jitter * random()))
