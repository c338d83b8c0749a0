"""Random processes out of everything the engine supports, for properties.

A process is a tree of blocks, each with one way in and one way out, so that it can always end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count, pairwise

from hypothesis import strategies as st

from tests.kit import bpmn as b

Block = tuple

_LEAVES = [
    "task",
    "manualTask",
    "throw",
    "service",
    "send",
    "user",
    "jobUser",
    "script",
    "timer",
    "parallelLoop",
    "sequentialLoop",
    "call",
    "late",
    "reminder",
    "caught",
    "stuckAtStart",
    "stuckAtEnd",
    "stuckLoop",
]
STUCK_UNTIL = "ok_"
"""What a stuck element waits for: true in the variable of this name and the element's id."""

blocks: st.SearchStrategy[Block] = st.recursive(
    st.sampled_from(_LEAVES).map(lambda kind: (kind,)),
    lambda inner: st.one_of(
        st.tuples(st.just("sequence"), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("choice"), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("fork"), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.sampled_from(["sub", "loopedSub", "stopped", "again"]), st.tuples(inner)),
    ),
    max_leaves=8,
)


@dataclass
class Drawing:
    """A process being drawn: its pieces, and the ids given out so far."""

    pieces: list[str] = field(default_factory=list)
    ids: count = field(default_factory=count)

    def add(self, piece: str) -> None:
        self.pieces.append(piece)

    def id(self, kind: str) -> str:
        return f"{kind}{next(self.ids)}"

    def draw(self, block: Block) -> tuple[str, str]:
        """Draw a block; gives the ids of its first and its last element."""
        kind = block[0]
        if len(block) == 1:
            return self._leaf(kind)
        inner = list(block[1])
        return getattr(self, f"_{kind}")(inner)

    def _leaf(self, kind: str) -> tuple[str, str]:
        own = self.id(kind)
        plain = {
            "task": lambda: b.node("task", own),
            "manualTask": lambda: b.node("manualTask", own),
            "throw": lambda: b.node("intermediateThrowEvent", own),
            "service": lambda: b.service(
                own, inputs=[("=n", "local")], outputs=[("=local + 1", "n")]
            ),
            "send": lambda: b.service(own, tag="sendTask"),
            "user": lambda: b.user(own),
            "jobUser": lambda: b.node("userTask", own),
            "script": lambda: b.script(own, "=n + 1", "n"),
            "timer": lambda: b.node(
                "intermediateCatchEvent", own, b.timer("timeDuration", "PT10S")
            ),
            "parallelLoop": lambda: b.service(own, inner=b.loop("=[1,2,3]", output=("o", "=item"))),
            "sequentialLoop": lambda: b.service(own, inner=b.loop("=[1,2]", sequential=True)),
            "call": lambda: b.call(own, "called"),
            "stuckAtStart": lambda: b.service(own, inputs=[(_unless(own), "x")]),
            "stuckAtEnd": lambda: b.service(own, outputs=[(_unless(own), "x")]),
            "stuckLoop": lambda: b.service(
                own,
                inner=b.loop("=[1,2]", output=("o", _unless(own)), until=f"={STUCK_UNTIL}{own}"),
            ),
        }
        if kind in plain:
            self.add(plain[kind]())
            return own, own
        return self._guarded(kind, own)

    def _guarded(self, kind: str, id: str) -> tuple[str, str]:
        """A task with a boundary event whose path comes back after it."""
        event, merge = self.id("event"), self.id("merge")
        definitions = {
            "late": b.boundary(event, id, b.timer("timeDuration", "PT5S")),
            "reminder": b.boundary(event, id, b.timer("timeCycle", "R2/PT5S"), interrupting=False),
            "caught": b.boundary(event, id, b.error("e1")),
        }
        self.add(b.service(id) + definitions[kind])
        if kind == "reminder":
            aside = self.id("end")
            self.add(b.end(aside) + b.flow(event, aside))
            return id, id
        self.add(b.node("exclusiveGateway", merge) + b.flow(id, merge) + b.flow(event, merge))
        return id, merge

    def _sequence(self, inner: list[Block]) -> tuple[str, str]:
        ends = [self.draw(each) for each in inner]
        for (_, last), (first, _) in pairwise(ends):
            self.add(b.flow(last, first))
        return ends[0][0], ends[-1][1]

    def _choice(self, inner: list[Block]) -> tuple[str, str]:
        ends = [self.draw(each) for each in inner]
        split, merge = self.id("split"), self.id("merge")
        default = f"{split}_{ends[-1][0]}"
        self.add(
            b.node("exclusiveGateway", split, default=default) + b.node("exclusiveGateway", merge)
        )
        for number, (first, last) in enumerate(ends):
            condition = f"=modulo(n, {len(ends)}) = {number}" if number < len(ends) - 1 else None
            self.add(b.flow(split, first, condition) + b.flow(last, merge))
        return split, merge

    def _fork(self, inner: list[Block]) -> tuple[str, str]:
        ends = [self.draw(each) for each in inner]
        fork, join = self.id("fork"), self.id("join")
        self.add(b.node("parallelGateway", fork) + b.node("parallelGateway", join))
        for first, last in ends:
            self.add(b.flow(fork, first) + b.flow(last, join))
        return fork, join

    def _inside(self, inner: list[Block], last: str = "", more: str = "") -> tuple[str, str]:
        """A sub-process around a block; `last` goes into its end event."""
        drawing = Drawing(ids=self.ids)
        first, end = drawing.draw(inner[0])
        sub, begin, finish = self.id("sub"), self.id("begin"), self.id("finish")
        drawing.add(b.start(begin) + b.end(finish, last) + b.chain(begin, first))
        drawing.add(b.flow(end, finish))
        self.add(b.sub_process(sub, more, *drawing.pieces))
        return sub, sub

    def _sub(self, inner: list[Block]) -> tuple[str, str]:
        return self._inside(inner)

    def _loopedSub(self, inner: list[Block]) -> tuple[str, str]:  # noqa: N802 - a block's name
        return self._inside(inner, more=b.loop("=[1,2]", output=("o", "=n")))

    def _stopped(self, inner: list[Block]) -> tuple[str, str]:
        return self._inside(inner, last=b.TERMINATE)

    def _again(self, inner: list[Block]) -> tuple[str, str]:
        """A block that is gone through until `n`, which a job raises each time, is large."""
        first, last = self.draw(inner[0])
        enter, job, leave = self.id("enter"), self.id("counted"), self.id("leave")
        self.add(
            b.node("exclusiveGateway", enter)
            + b.service(job, outputs=[("=n + 3", "n")])
            + b.node("exclusiveGateway", leave)
            + b.chain(enter, first)
            + b.chain(last, job, leave)
            + b.flow(leave, enter, "=n &lt; 5")
        )
        out = self.id("task")
        self.add(b.node("task", out) + b.flow(leave, out, "=n >= 5"))
        return enter, out


def _unless(id: str) -> str:
    """FEEL that fails until the element's variable is true."""
    return f"=assert({STUCK_UNTIL}{id}, {STUCK_UNTIL}{id} = true)"


def draw(block: Block) -> bytes:
    """The BPMN of a process around a block, and of the process that its call activities call."""
    drawing = Drawing()
    first, last = drawing.draw(block)
    begin, finish = drawing.id("start"), drawing.id("end")
    drawing.add(b.start(begin) + b.end(finish) + b.flow(begin, first) + b.flow(last, finish))
    called = b.process(
        b.start(), b.service("inner"), b.end(), b.chain("start", "inner", "end"), id="called"
    )
    return b.document(b.process(*drawing.pieces), called, errors={"e1": "no"})
