"""Syntax back to text: the text that comes out parses to the same syntax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from feel import numbers
from feel.lexer import is_word
from feel.parser.core import AND, BINDING, COMPARISON, OR, POSTFIX, SIGN
from feel.parser.names import KEYWORD_FUNCTIONS, RESERVED
from feel.parser.operators import PROPERTIES_WITH_BLANKS
from feel.syntax import (
    Between,
    Binary,
    BooleanLiteral,
    Call,
    ContextLiteral,
    Counting,
    Filter,
    For,
    FunctionLiteral,
    If,
    In,
    InputValue,
    InstanceOf,
    Iterator,
    ListLiteral,
    Name,
    Negation,
    Node,
    NullLiteral,
    NumberLiteral,
    Parameter,
    Path,
    Quantified,
    RangeLiteral,
    StringLiteral,
    TemporalLiteral,
    TypeName,
    UnaryComparison,
    UnaryTests,
)

_ATOM: Final = POSTFIX + 1
_CLAUSE: Final = OR - 1
"""Binds less than any operator: what comes after a clause would become part of it."""


def print_expression(node: Node) -> str:
    """The text of an expression, with as few brackets as it needs."""
    text = _at(node, _CLAUSE)
    # A `=` in front of an expression only says that it is one, and is not read.
    return f"({text})" if text.startswith("=") else text


def print_unary_tests(tests: UnaryTests) -> str:
    """The text of unary tests."""
    if not tests.tests:
        return "-"
    *texts, last = map(print_expression, tests.tests)
    if tests.negated:
        return f"not({', '.join([*texts, last])})"
    if isinstance(tests.tests[-1], BooleanLiteral):
        last = f"({last})"  # at the end of the text it would be a value to compare with
    return ", ".join([*texts, last])


def _at(node: Node, binding: int) -> str:
    """The text of a part where something that binds as strongly as `binding` is needed."""
    level, text = _WRITERS[type(node)](node)
    return text if level >= binding else f"({text})"


def _list(nodes: tuple[Node, ...]) -> str:
    return ", ".join(print_expression(node) for node in nodes)


def _name(name: str) -> str:
    plain = is_word(name) and all(char.isalnum() or char in "_$" for char in name)
    return name if plain and name not in RESERVED else f"`{name}`"


def _quoted(text: str) -> str:
    for char, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(char, escape)
    return f'"{text}"'


def _binary(node: Binary) -> tuple[int, str]:
    level = BINDING[node.operator]
    left = level + 1 if level == COMPARISON else level
    return level, f"{_at(node.left, left)} {node.operator} {_at(node.right, level + 1)}"


def _between(node: Between) -> tuple[int, str]:
    value, low, high = (_at(part, COMPARISON + 1) for part in (node.value, node.low, node.high))
    return COMPARISON, f"{value} between {low} and {high}"


def _in(node: In) -> tuple[int, str]:
    return COMPARISON, f"{_at(node.value, COMPARISON + 1)} in ({_list(node.tests)})"


def _instance_of(node: InstanceOf) -> tuple[int, str]:
    return COMPARISON, f"{_at(node.value, COMPARISON + 1)} instance of {_type(node.type)}"


def _type(node: TypeName) -> str:
    parts = [f"{f'{name}: ' if name else ''}{_type(part)}" for name, part in node.parts]
    result = ""
    if node.parts and node.parts[-1][0] == "->":
        result = f"->{_type(node.parts[-1][1])}"
        parts.pop()
    return f"{node.name}<{', '.join(parts)}>{result}" if node.parts else node.name


def _range(node: RangeLiteral) -> tuple[int, str]:
    start = "[" if node.start_included else "("
    end = "]" if node.end_included else ")"
    ends = f"{_at(node.start, COMPARISON + 1)}..{_at(node.end, COMPARISON + 1)}"
    return _ATOM, f"{start}{ends}{end}"


def _context(node: ContextLiteral) -> tuple[int, str]:
    entries = (f"{_quoted(key)}: {print_expression(value)}" for key, value in node.entries)
    return _ATOM, "{" + ", ".join(entries) + "}"


def _path(node: Path) -> tuple[int, str]:
    name = node.name if node.name in PROPERTIES_WITH_BLANKS else _name(node.name)
    return POSTFIX, f"{_at(node.base, POSTFIX)}.{name}"


def _filter(node: Filter) -> tuple[int, str]:
    return POSTFIX, f"{_at(node.base, POSTFIX)}[{print_expression(node.condition)}]"


def _call(node: Call) -> tuple[int, str]:
    arguments = (
        f"{f'{_name(each.name)}: ' if each.name is not None else ''}{print_expression(each.value)}"
        for each in node.arguments
    )
    callee = node.callee
    if isinstance(callee, Name) and callee.name in KEYWORD_FUNCTIONS:
        name = callee.name
    else:
        name = _at(callee, POSTFIX)
    return POSTFIX, f"{name}({', '.join(arguments)})"


def _if(node: If) -> tuple[int, str]:
    condition, then, otherwise = map(print_expression, (node.condition, node.then, node.otherwise))
    return _CLAUSE, f"if {condition} then {then} else {otherwise}"


def _for(node: For) -> tuple[int, str]:
    return _CLAUSE, f"for {_iterators(node.iterators)} return {print_expression(node.body)}"


def _quantified(node: Quantified) -> tuple[int, str]:
    iterators = _iterators(node.iterators)
    return _CLAUSE, f"{node.kind} {iterators} satisfies {print_expression(node.condition)}"


def _iterators(iterators: tuple[Iterator, ...]) -> str:
    return ", ".join(f"{_name(each.name)} in {_source(each.source)}" for each in iterators)


def _source(source: Node | Counting) -> str:
    if isinstance(source, Counting):
        return f"{_at(source.start, COMPARISON + 1)}..{_at(source.end, COMPARISON + 1)}"
    return print_expression(source)


def _function(node: FunctionLiteral) -> tuple[int, str]:
    parameters = ", ".join(map(_parameter, node.parameters))
    return _CLAUSE, f"function({parameters}) {print_expression(node.body)}"


def _parameter(parameter: Parameter) -> str:
    name = _name(parameter.name)
    return name if parameter.type is None else f"{name}: {_type(parameter.type)}"


_WRITERS: Final[dict[type, Callable[..., tuple[int, str]]]] = {
    NullLiteral: lambda _: (_ATOM, "null"),
    BooleanLiteral: lambda node: (_ATOM, "true" if node.value else "false"),
    NumberLiteral: lambda node: (_ATOM, numbers.text_of(node.value)),
    StringLiteral: lambda node: (_ATOM, _quoted(node.value)),
    TemporalLiteral: lambda node: (_ATOM, f"@{_quoted(node.text)}"),
    Name: lambda node: (_ATOM, _name(node.name)),
    InputValue: lambda _: (_ATOM, "?"),
    ListLiteral: lambda node: (_ATOM, f"[{_list(node.items)}]"),
    ContextLiteral: _context,
    RangeLiteral: _range,
    Negation: lambda node: (SIGN, f"-{_at(node.operand, SIGN)}"),
    Binary: _binary,
    Between: _between,
    In: _in,
    UnaryComparison: lambda node: (AND, f"{node.operator} {_at(node.operand, COMPARISON + 1)}"),
    InstanceOf: _instance_of,
    Path: _path,
    Filter: _filter,
    If: _if,
    For: _for,
    Quantified: _quantified,
    FunctionLiteral: _function,
    Call: _call,
}
