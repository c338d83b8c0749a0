from __future__ import annotations

from collections.abc import Mapping, Sequence

from feel.functions.registry import Category
from feel.run import Run
from feel.values import Value, is_context, is_list

CONTEXT = Category("Context functions")


@CONTEXT.function(
    "get value",
    "context: context, key: any",
    ('get value({foo: 123}, "foo")', "123"),
    ('get value({x: 1, y: {z: 0}}, ["y", "z"])', "0"),
)
def get_value(_run: Run, context: Mapping[str, Value], key: Value) -> Value:
    """The value of the entry with a key, or with a path of keys; null when there is none."""
    if isinstance(key, str):
        return context.get(key)
    return _value_at(context, key) if _is_path(key) else None


@CONTEXT.function("get value", "m: context, key: any", ('get value(m: {a: 1}, key: "a")', "1"))
def get_value_of_m(run: Run, context: Mapping[str, Value], key: Value) -> Value:
    """The same with the parameter's name of the DMN standard."""
    return get_value(run, context, key)


@CONTEXT.function(
    "get value", "context: context, keys: list", ('get value(context: {a: 1}, keys: ["a"])', "1")
)
def get_value_at(_run: Run, context: Mapping[str, Value], keys: Sequence[Value]) -> Value:
    """The value of the entry at a path of keys; null when there is none."""
    return _value_at(context, keys) if _is_path(keys) else None


def _is_path(keys: Value) -> bool:
    return is_list(keys) and len(keys) > 0 and all(isinstance(key, str) for key in keys)


def _value_at(context: Value, keys: Sequence[str]) -> Value:
    for key in keys:
        if not is_context(context):
            return None
        context = context.get(key)
    return context


@CONTEXT.function(
    "get entries", "context: context", ("get entries({foo: 123})", '[{key: "foo", value: 123}]')
)
def get_entries(run: Run, context: Mapping[str, Value]) -> list[dict[str, Value]]:
    """The entries of a context as a list of contexts with `key` and `value`."""
    run.charge_items(4 * len(context))
    return [{"key": key, "value": value} for key, value in context.items()]


@CONTEXT.function("get entries", "m: context", ("get entries(m: {a: 1}).key", '["a"]'))
def get_entries_of_m(run: Run, context: Mapping[str, Value]) -> list[dict[str, Value]]:
    """The same with the parameter's name of the DMN standard."""
    return get_entries(run, context)


@CONTEXT.function(
    "context put",
    "context: context, key: any, value: any",
    ('context put({x: 1}, "y", 2)', "{x: 1, y: 2}"),
    ('context put({x: 1}, ["y", "z"], 2)', "{x: 1, y: {z: 2}}"),
)
def context_put(run: Run, context: Mapping[str, Value], key: Value, value: Value) -> Value:
    """The context with one entry more, or another value for it, under a key or a path of keys."""
    if isinstance(key, str):
        return _put(run, context, [key], value)
    return _put(run, context, key, value) if _is_path(key) else None


@CONTEXT.function(
    "context put",
    "context: context, keys: list, value: any",
    ('context put(context: {x: 1}, keys: ["y"], value: 2)', "{x: 1, y: 2}"),
)
def context_put_at(run: Run, context: Mapping[str, Value], keys: Value, value: Value) -> Value:
    """The context with a value at a path of keys; contexts on the way are made where missing."""
    return _put(run, context, keys, value) if _is_path(keys) else None


def _put(run: Run, context: Mapping[str, Value], keys: Sequence[str], value: Value) -> Value:
    run.charge(2 + len(context))
    first, rest = keys[0], keys[1:]
    if rest:
        inner = context.get(first)
        value = _put(run, _as_context(inner), rest, value)
    return {**context, first: value}


def _as_context(value: Value) -> Mapping[str, Value]:
    """The value if it is a context, else an empty one, which then takes its place."""
    return value if is_context(value) else {}


def _merge(run: Run, contexts: Sequence[Value]) -> dict[str, Value] | None:
    merged: dict[str, Value] = {}
    for context in contexts:
        if not is_context(context):
            return None
        run.charge(2 + len(context))
        merged.update(context)
    return merged


@CONTEXT.function(
    "context merge",
    "contexts: any",
    ("context merge([{x: 1, y: 0}, {y: 2}])", "{x: 1, y: 2}"),
)
def context_merge(run: Run, contexts: Value) -> dict[str, Value] | None:
    """One context with the entries of all in a list; of equal keys the last one counts."""
    return _merge(run, contexts if is_list(contexts) else [contexts])


@CONTEXT.function(
    "context merge", "contexts...: any", ("context merge({x: 1}, {y: 2})", "{x: 1, y: 2}")
)
def context_merge_all(run: Run, *contexts: Value) -> dict[str, Value] | None:
    """One context with the entries of all arguments."""
    if len(contexts) == 1:
        return context_merge(run, contexts[0])
    return _merge(run, contexts)


CONTEXT.function(
    "put", "context: context, key: any, value: any", ('put({x: 1}, "y", 2)', "{x: 1, y: 2}")
)(context_put)
CONTEXT.function("put all", "contexts...: any", ("put all({x: 1}, {y: 2})", "{x: 1, y: 2}"))(
    context_merge_all
)
