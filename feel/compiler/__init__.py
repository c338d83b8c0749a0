"""Syntax to closures; see `feel.compiler.code` for the frame that they work on."""

from __future__ import annotations

from feel.compiler import calls, control, filters, literals, names, operators, tests
from feel.compiler.code import (
    COMPILERS,
    FIRST_SLOT,
    INPUT,
    Code,
    Frame,
    Program,
    Scope,
    compile_node,
)
from feel.syntax import (
    Between,
    Binary,
    BooleanLiteral,
    Call,
    ContextLiteral,
    Filter,
    For,
    FunctionLiteral,
    If,
    In,
    InputValue,
    InstanceOf,
    ListLiteral,
    Name,
    Negation,
    Node,
    NullLiteral,
    NumberLiteral,
    Path,
    Quantified,
    RangeLiteral,
    StringLiteral,
    TemporalLiteral,
    UnaryComparison,
    UnaryTests,
)

__all__ = ["Code", "Frame", "compile_expression", "compile_unary_tests"]

COMPILERS.update(
    {
        NullLiteral: literals.null_code,
        BooleanLiteral: literals.plain_code,
        NumberLiteral: literals.plain_code,
        StringLiteral: literals.plain_code,
        TemporalLiteral: literals.temporal_code,
        ListLiteral: literals.list_code,
        ContextLiteral: literals.context_code,
        RangeLiteral: literals.range_code,
        Name: names.name_code,
        InputValue: names.input_code,
        Path: names.path_code,
        Filter: filters.filter_code,
        Negation: operators.negation_code,
        Binary: operators.binary_code,
        Between: operators.between_code,
        In: tests.in_code,
        UnaryComparison: tests.comparison_code,
        InstanceOf: tests.instance_code,
        If: control.if_code,
        For: control.for_code,
        Quantified: control.quantified_code,
        FunctionLiteral: calls.function_code,
        Call: calls.call_code,
    }
)


def compile_expression(node: Node) -> tuple[Code, int]:
    """The code of an expression, and how many slots its frame has for variables."""
    program = Program()
    code = compile_node(node, Scope(program))
    return code, program.slots - FIRST_SLOT


def compile_unary_tests(node: UnaryTests) -> tuple[Code, int]:
    """The code of unary tests, and the slots of its frame, the first for the value under test."""
    program = Program()
    code = tests.unary_tests_code(node, Scope(program).with_locals(INPUT))
    return code, program.slots - FIRST_SLOT
