"""Hypothesis strategies for the syntax of FEEL."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from feel.syntax import (
    Argument,
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
)

OPERATORS = ["+", "-", "*", "/", "**", "=", "!=", "<", "<=", ">", ">=", "and", "or"]
names = st.sampled_from(
    ["a", "b_1", "order", "for", "date and time", "a-b", "ünïcode", "$x", "time"]
)
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.one_of(
    st.integers(0, 10**20),
    st.decimals(0, 10**6, places=3, allow_nan=False).filter(lambda d: d != d.to_integral_value()),
).map(lambda value: value if isinstance(value, int) else Decimal(value).copy_abs())
type_names = st.recursive(
    st.sampled_from(["number", "date and time", "days and time duration", "Any", "a.b"]).map(
        TypeName
    ),
    lambda inner: st.one_of(
        inner.map(lambda part: TypeName("list", (("", part),))),
        st.tuples(st.sampled_from(["a", "b"]), inner).map(
            lambda member: TypeName("context", (member,))
        ),
        st.tuples(inner, inner).map(
            lambda parts: TypeName("function", (("", parts[0]), ("->", parts[1])))
        ),
    ),
    max_leaves=3,
)
leaves = st.one_of(
    st.just(NullLiteral()),
    st.booleans().map(BooleanLiteral),
    numbers.map(NumberLiteral),
    texts.map(StringLiteral),
    st.sampled_from(["2020-01-01", "P1D", "nothing"]).map(TemporalLiteral),
    names.map(Name),
    st.just(InputValue()),
)


def _few(strategy, least=0):
    return st.lists(strategy, min_size=least, max_size=3).map(tuple)


def _compound(inner):
    sources = inner | st.builds(Counting, inner, inner)
    iterators = _few(st.builds(Iterator, names, sources), 1)
    return st.one_of(
        _few(inner).map(ListLiteral),
        _few(st.tuples(texts, inner)).map(ContextLiteral),
        st.builds(RangeLiteral, inner, inner, st.booleans(), st.booleans()),
        st.builds(Negation, inner),
        st.builds(Binary, st.sampled_from(OPERATORS), inner, inner),
        st.builds(Between, inner, inner, inner),
        st.builds(In, inner, _few(inner, 1)),
        st.builds(UnaryComparison, st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), inner),
        st.builds(InstanceOf, inner, type_names),
        st.builds(Path, inner, st.one_of(names, st.just("time offset"))),
        st.builds(Filter, inner, inner),
        st.builds(If, inner, inner, inner),
        st.builds(For, iterators, inner),
        st.builds(Quantified, st.sampled_from(["some", "every"]), iterators, inner),
        st.builds(
            FunctionLiteral, _few(st.builds(Parameter, names, st.none() | type_names)), inner
        ),
        st.builds(Call, inner, _few(st.builds(Argument, inner))),
        st.builds(Call, names.map(Name), _few(st.builds(Argument, inner, names), 1)),
    )


expressions = st.recursive(leaves, _compound, max_leaves=12)
