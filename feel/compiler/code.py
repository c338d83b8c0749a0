"""What the syntax is compiled to: a closure for each part, over one flat frame.

A frame is a list: the caller's context, the run, then one slot for each variable that the text
itself makes (iteration variables, parameters, items under a filter, contexts under way). Slots are
known when the text is compiled, so reading a variable is one index and nothing is copied. Only a
function literal copies the frame, to keep what it saw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from feel.syntax import Node
from feel.values import Value

if TYPE_CHECKING:
    from feel.run import Run

Frame: TypeAlias = list[Value]
Code: TypeAlias = Callable[[Frame], Value]

CONTEXT: Final = 0
"""Slot of the caller's context."""
RUN: Final = 1
"""Slot of the run."""
FIRST_SLOT: Final = 2

INPUT: Final = "?"
"""Name of the local variable that holds the value under test."""
PARTIAL: Final = "partial"
"""Name of the local variable that holds the results of a `for` so far."""

NO_ITEM: Final = object()
"""Stands in the slot of an item while a filter is evaluated as if there were none."""


def run_of(frame: Frame) -> Run:
    """The run of a frame."""
    return cast("Run", frame[RUN])


@dataclass(slots=True)
class Program:
    """What is known only when the whole text is compiled.

    Attributes:
        slots: how long a frame is.
        weight: steps that the part being compiled takes each time it is evaluated.
        partials: slots of the lists of results that some body reads; the others are not kept.
        inputs_read: slots of the values under test that a test has looked at.
    """

    slots: int = FIRST_SLOT
    weight: int = 0
    partials: set[int] = field(default_factory=set)
    inputs_read: set[int] = field(default_factory=set)


@dataclass(slots=True)  # not frozen, though never changed: that would double the time to compile
class Scope:
    """The variables that a part of the text sees, from the innermost out.

    Attributes:
        kind: "root"; "local": `names` are variables, each in its slot; "entries": `names` are
            keys of the context in `slot`; "item": the fields of the item in `slot`, and `item`.
        slot: the next free slot for "root" and "local".
    """

    program: Program
    kind: str = "root"
    names: tuple[str, ...] = ()
    slot: int = FIRST_SLOT
    outer: Scope | None = None

    @property
    def free(self) -> int:
        """Number of the next free slot."""
        if self.kind == "root":
            return self.slot
        return self.slot + (len(self.names) if self.kind == "local" else 1)

    def _within(self, kind: str, names: tuple[str, ...]) -> Scope:
        scope = Scope(self.program, kind, names, self.free, self)
        self.program.slots = max(self.program.slots, scope.free)
        return scope

    def with_locals(self, *names: str) -> Scope:
        """A scope with more variables; the first of them is in its `slot`, the others follow."""
        return self._within("local", names)

    def with_entries(self) -> Scope:
        """A scope for the entries of a context literal, the context being in its `slot`."""
        return self._within("entries", ())

    def and_entry(self, name: str) -> Scope:
        """The same scope after one more entry of the context."""
        return Scope(self.program, "entries", (*self.names, name), self.slot, self.outer)

    def with_item(self) -> Scope:
        """A scope for a filter, the item being in its `slot`."""
        return self._within("item", ())


Compile: TypeAlias = Callable[[Value, Scope], Code]
COMPILERS: Final[dict[type, Compile]] = {}
"""By type of node; filled by the package, whose modules need one another through it."""


def compile_node(node: Node, scope: Scope) -> Code:
    """The code of a part; its weight is added to the program's."""
    scope.program.weight += 1
    return COMPILERS[type(node)](node, scope)


def compile_weighed(node: Node, scope: Scope) -> tuple[Code, int]:
    """The code of a part that is evaluated in a loop, and the steps that one round takes.

    The weight is left out of the program's: the loop charges it for each round.
    """
    program = scope.program
    before = program.weight
    program.weight = 0
    code = compile_node(node, scope)
    weight = program.weight
    program.weight = before
    return code, weight
