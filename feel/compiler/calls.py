"""Functions written in FEEL, and calls of functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from feel.compiler.code import (
    RUN,
    Code,
    Frame,
    Scope,
    compile_node,
    compile_weighed,
    run_of,
)
from feel.compiler.names import lookup
from feel.errors import LimitExceeded
from feel.functions import BUILTINS, Overload, overload_for
from feel.functions.registry import LEFT_OUT, warn_argument
from feel.run import Run
from feel.suggestions import did_you_mean
from feel.syntax import Call, FunctionLiteral, Name
from feel.values import Function, Value, is_list, type_of

_Arguments: TypeAlias = Sequence[tuple[str | None, Code]]


def function_code(node: FunctionLiteral, scope: Scope) -> Code:
    """The code of a function literal: it keeps a copy of the frame that it was made in."""
    names = tuple(parameter.name for parameter in node.parameters)
    inner = scope.with_locals(*names)
    slot, count = inner.slot, len(names)
    body, weight = compile_weighed(node.body, inner)
    scope.program.weight += 4

    def make(frame: Frame) -> Function:
        seen = frame[:]
        run = run_of(frame)
        run.charge(len(seen) >> 3)

        def call(*arguments: Value) -> Value:
            run.charge(weight + 2)
            if run.calls >= run.limits.calls:
                raise LimitExceeded("calls", f"functions may call {run.limits.calls} deep")
            run.calls += 1
            called = seen[:]
            called[slot : slot + count] = arguments
            result = body(called)
            run.calls -= 1
            return result

        return Function("function", names, call)

    return make


def call_code(node: Call, scope: Scope) -> Code:
    """The code of a call.

    A name means, in this order, a function in a variable, one of the caller's, one built in.
    """
    arguments = [(each.name, compile_node(each.value, scope)) for each in node.arguments]
    if not isinstance(node.callee, Name):
        callee = compile_node(node.callee, scope)
        return lambda frame: _apply(frame, callee(frame), "this value", arguments)
    name = node.callee.name
    variable = lookup(name, scope, quiet=True)
    overload = overload_for(name, [each.name for each in node.arguments])
    builtin = None if overload is None else _call_of_builtin(overload, arguments)
    scope.program.weight += 1 if overload is None else overload.weight

    def call(frame: Frame) -> Value:
        function = variable(frame)
        if type(function) is Function:
            return _apply(frame, function, name, arguments)
        run: Run = frame[RUN]
        if run.functions is not None and name in run.functions:
            return _apply(frame, run.functions[name], name, arguments)
        if builtin is not None:
            return builtin(frame)
        if function is not None:
            return _apply(frame, function, name, arguments)
        _warn_no_function(run, name, len(arguments))
        return None

    return call


def _call_of_builtin(overload: Overload, arguments: _Arguments) -> Code:
    call = overload.call
    codes = [code for _, code in arguments]
    if arguments and arguments[0][0] is not None:
        by_name = dict(arguments)
        named = [
            by_name.get(parameter.name, _left_out if parameter.optional else _null)
            for parameter in overload.parameters
        ]
        spread = overload.parameters[-1].variadic

        def call_by_name(frame: Frame) -> Value:
            values = [code(frame) for code in named]
            if spread:
                rest: Value = values.pop()
                if not is_list(rest):
                    warn_argument(frame[RUN], overload.name, overload.parameters[-1], rest)
                    return None
                values.extend(rest)
            return call(frame[RUN], *values)

        return call_by_name
    if len(codes) == 1:
        only = codes[0]
        return lambda frame: call(frame[RUN], only(frame))
    return lambda frame: call(frame[RUN], *[code(frame) for code in codes])


def _left_out(_frame: Frame) -> Value:
    return LEFT_OUT


def _null(_frame: Frame) -> Value:
    return None


def _apply(frame: Frame, function: Value, name: str, arguments: _Arguments) -> Value:
    """Call a function that is a value; null when it does not take these arguments."""
    run = run_of(frame)
    if not isinstance(function, Function):
        run.warn("no-function", f"cannot call `{name}`: it is {type_of(function)}, not a function")
        return None
    if arguments and arguments[0][0] is not None:
        return _apply_named(frame, function, name, dict(arguments))
    if not function.takes(len(arguments)):
        run.warn("no-function", f"function `{name}` does not take {len(arguments)} arguments")
        return None
    missing = len(function.parameters) - len(arguments)
    return function.call(*[code(frame) for _, code in arguments], *[None] * missing)


def _apply_named(
    frame: Frame, function: Function, name: str, arguments: dict[str | None, Code]
) -> Value:
    for argument in arguments:
        if argument not in function.parameters:
            run_of(frame).warn(
                "no-function",
                f"function `{name}` has no parameter `{argument}`"
                f"{did_you_mean(str(argument), function.parameters)}",
            )
            return None
    values = {key: code(frame) for key, code in arguments.items()}
    return function.call(*[values.get(parameter) for parameter in function.parameters])


def _warn_no_function(run: Run, name: str, count: int) -> None:
    if run.warnings is None:
        return
    if name in BUILTINS:
        run.warn("no-function", f"function `{name}` does not take these {count} arguments")
        return
    known = [*BUILTINS, *(run.functions or ())]
    run.warn("no-function", f"no function `{name}`{did_you_mean(name, known)}")
