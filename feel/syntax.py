"""The parts of a parsed expression: immutable, comparable, printable by `feel.printer`."""

from __future__ import annotations

from decimal import Decimal
from typing import Union

from feel.node import Part


class NullLiteral(Part):
    """`null`."""


class BooleanLiteral(Part):
    """`true` or `false`."""

    value: bool


class NumberLiteral(Part):
    """A number without sign; whole ones are `int`."""

    value: int | Decimal


class StringLiteral(Part):
    """Text in double quotes, escapes resolved."""

    value: str


class TemporalLiteral(Part):
    """`@"…"`: a date, time, date and time or duration in its ISO form."""

    text: str


class Name(Part):
    """A variable."""

    name: str


class InputValue(Part):
    """`?`: the value under test in a unary test."""


class ListLiteral(Part):
    """`[a, b]`."""

    items: tuple[Node, ...]


class ContextLiteral(Part):
    """`{key: value}`; an entry sees the entries before it."""

    entries: tuple[tuple[str, Node], ...]


class RangeLiteral(Part):
    """`[a..b]`, with either end open as `(a..b)` or `]a..b[`."""

    start: Node
    end: Node
    start_included: bool
    end_included: bool


class Negation(Part):
    """`-a`."""

    operand: Node


class Binary(Part):
    """Two operands and one of `+ - * / ** = != < <= > >= and or`."""

    operator: str
    left: Node
    right: Node


class Between(Part):
    """`value between low and high`, both ends included."""

    value: Node
    low: Node
    high: Node


class In(Part):
    """`value in test` or `value in (test, test)`."""

    value: Node
    tests: tuple[Node, ...]


class UnaryComparison(Part):
    """`< a`, `<= a`, `> a`, `>= a`, `= a`, `!= a`: compares the value under test."""

    operator: str
    operand: Node


class TypeName(Part):
    """A type: its name and, for `list<number>` and the like, its parts.

    `parts` holds a pair of member name (empty where a part has none) and type. For a function type
    the last part is the result.
    """

    name: str
    parts: tuple[tuple[str, TypeName], ...] = ()


class InstanceOf(Part):
    """`value instance of type`."""

    value: Node
    type: TypeName


class Path(Part):
    """`base.name`."""

    base: Node
    name: str


class Filter(Part):
    """`base[condition]`, where the condition may be an index."""

    base: Node
    condition: Node


class If(Part):
    """`if condition then first else second`."""

    condition: Node
    then: Node
    otherwise: Node


class Counting(Part):
    """`a..b` as the source of an iteration."""

    start: Node
    end: Node


class Iterator(Part):
    """`name in source`."""

    name: str
    source: Node | Counting


class For(Part):
    """`for iterators return body`."""

    iterators: tuple[Iterator, ...]
    body: Node


class Quantified(Part):
    """`some` or `every` (`kind`), with iterators and a condition."""

    kind: str
    iterators: tuple[Iterator, ...]
    condition: Node


class Parameter(Part):
    """A parameter of a function written in FEEL; its type, where given, is not checked."""

    name: str
    type: TypeName | None = None


class FunctionLiteral(Part):
    """`function(a, b) body`."""

    parameters: tuple[Parameter, ...]
    body: Node


class Argument(Part):
    """An argument of a call; without a name it goes by its place."""

    value: Node
    name: str | None = None


class Call(Part):
    """`callee(arguments)`; either all arguments have names or none has."""

    callee: Node
    arguments: tuple[Argument, ...]


class UnaryTests(Part):
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
