"""What one evaluation carries along: its budget, the caller's functions, and its remarks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from feel.errors import LimitExceeded
from feel.limits import DEFAULT_LIMITS, Limits
from feel.values import Function, Value, type_of

STEPS_BETWEEN_LOOKS: Final = 20_000
"""Steps from one look at the clock to the next: some milliseconds."""
CHARS_PER_STEP: Final = 32


@dataclass(frozen=True, slots=True)
class EvaluationWarning:
    """Why a part of an expression came to null.

    Attributes:
        kind: one of "no-variable", "no-entry", "no-property", "no-function", "wrong-type",
            "wrong-argument", "no-number", "not-boolean".
        message: one sentence with the names and types concerned, never a value.
    """

    kind: str
    message: str


class Run:
    """One evaluation; never shared.

    Attributes:
        functions: the caller's functions by name.
        warnings: where to note why something is null; None when nobody asked.
        calls: how deep functions written in FEEL call each other now.
    """

    __slots__ = ("_deadline_s", "_next_look", "calls", "functions", "limits", "steps", "warnings")

    def __init__(
        self,
        limits: Limits | None,
        functions: Mapping[str, Function] | None,
        warnings: list[EvaluationWarning] | None = None,
    ) -> None:
        self.limits = limits = limits or DEFAULT_LIMITS
        self.functions = functions
        self.warnings = warnings
        self.calls = 0
        self.steps = limits.steps
        # The clock starts with the first look: most evaluations end before it.
        self._next_look = max(0, limits.steps - STEPS_BETWEEN_LOOKS)
        self._deadline_s: float | None = None

    def charge(self, steps: int) -> None:
        """Take `steps` from the budget.

        Raises:
            LimitExceeded: the budget or the time is used up.
        """
        self.steps -= steps
        if self.steps < self._next_look:
            self._look()

    def charge_text(self, chars: int) -> None:
        """Take the steps for a text of `chars` characters, before it is made."""
        if chars > self.limits.string_chars:
            raise LimitExceeded(
                "string_chars", f"a text may have {self.limits.string_chars} characters"
            )
        self.charge(chars // CHARS_PER_STEP)

    def charge_items(self, items: int) -> None:
        """Take the steps for a list of `items`, before it is made."""
        if items > self.limits.list_items:
            raise LimitExceeded("list_items", f"a list may have {self.limits.list_items} items")
        self.charge(items)

    def _look(self) -> None:
        if self.steps < 0:
            raise LimitExceeded("steps", f"an evaluation may take {self.limits.steps} steps")
        self._next_look = max(0, self.steps - STEPS_BETWEEN_LOOKS)
        self.look_at_clock()

    def look_at_clock(self) -> None:
        """Raise `LimitExceeded` when the time of this evaluation is up."""
        now_s = time.monotonic()
        if self._deadline_s is None:
            self._deadline_s = now_s + self.limits.deadline_s
        elif now_s > self._deadline_s:
            raise LimitExceeded(
                "deadline_s", f"an evaluation may take {self.limits.deadline_s} seconds"
            )

    def warn(self, kind: str, message: str) -> None:
        """Note why something is null, if the caller asked for it."""
        if self.warnings is not None:
            self.warnings.append(EvaluationWarning(kind, message))


def warn_operands(run: Run, operation: str, left: Value, right: Value) -> None:
    """Note that an operation does not take operands of these types."""
    if run.warnings is not None:
        types = f"{type_of(left)} and {type_of(right)}"
        run.warn("wrong-type", f"cannot apply `{operation}` to {types}")
