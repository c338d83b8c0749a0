"""The parts of a parsed expression: immutable, comparable, printable by `feel.printer`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Union


@dataclass(frozen=True, slots=True)
class NullLiteral:
    """`null`."""


@dataclass(frozen=True, slots=True)
class BooleanLiteral:
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A number without sign; whole ones are `int`."""

    value: int | Decimal


@dataclass(frozen=True, slots=True)
class StringLiteral:
    """Text in double quotes, escapes resolved."""

    value: str


@dataclass(frozen=True, slots=True)
class TemporalLiteral:
    """`@"…"`: a date, time, date and time or duration in its ISO form."""

    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class InputValue:
    """`?`: the value under test in a unary test."""


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ContextLiteral:
    """`{key: value}`; an entry sees the entries before it."""

    entries: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class RangeLiteral:
    """`[a..b]`, with either end open as `(a..b)` or `]a..b[`."""

    start: Node
    end: Node
    start_included: bool
    end_included: bool


@dataclass(frozen=True, slots=True)
class Negation:
    """`-a`."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and one of `+ - * / ** = != < <= > >= and or`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Between:
    """`value between low and high`, both ends included."""

    value: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class In:
    """`value in test` or `value in (test, test)`."""

    value: Node
    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class UnaryComparison:
    """`< a`, `<= a`, `> a`, `>= a`, `= a`, `!= a`: compares the value under test."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type: its name and, for `list<number>` and the like, its parts.

    `parts` holds a pair of member name (empty where a part has none) and type. For a function type
    the last part is the result.
    """

    name: str
    parts: tuple[tuple[str, TypeName], ...] = ()


@dataclass(frozen=True, slots=True)
class InstanceOf:
    """`value instance of type`."""

    value: Node
    type: TypeName


@dataclass(frozen=True, slots=True)
class Path:
    """`base.name`."""

    base: Node
    name: str


@dataclass(frozen=True, slots=True)
class Filter:
    """`base[condition]`, where the condition may be an index."""

    base: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class If:
    """`if condition then first else second`."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Counting:
    """`a..b` as the source of an iteration."""

    start: Node
    end: Node


@dataclass(frozen=True, slots=True)
class Iterator:
    """`name in source`."""

    name: str
    source: Node | Counting


@dataclass(frozen=True, slots=True)
class For:
    """`for iterators return body`."""

    iterators: tuple[Iterator, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Quantified:
    """`some` or `every` (`kind`), with iterators and a condition."""

    kind: str
    iterators: tuple[Iterator, ...]
    condition: Node


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function written in FEEL; its type, where given, is not checked."""

    name: str
    type: TypeName | None = None


@dataclass(frozen=True, slots=True)
class FunctionLiteral:
    """`function(a, b) body`."""

    parameters: tuple[Parameter, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call; without a name it goes by its place."""

    value: Node
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """`callee(arguments)`; either all arguments have names or none has."""

    callee: Node
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class UnaryTests:
    """The tests of an input entry; `-` is the empty tuple, which any value passes."""

    tests: tuple[Node, ...]
    negated: bool = False


Node = Union[  # noqa: UP007 - at run time these names are not yet types
    NullLiteral,
    BooleanLiteral,
    NumberLiteral,
    StringLiteral,
    TemporalLiteral,
    Name,
    InputValue,
    ListLiteral,
    ContextLiteral,
    RangeLiteral,
    Negation,
    Binary,
    Between,
    In,
    UnaryComparison,
    InstanceOf,
    Path,
    Filter,
    If,
    For,
    Quantified,
    FunctionLiteral,
    Call,
]
