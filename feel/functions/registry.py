"""The built-in functions: how they are declared, found and called.

A function is declared by a Python function that takes the run and its arguments:

    @STRING.function("starts with", "string: string, match: string", '…' …)
    def starts_with(run: Run, text: str, match: str) -> Value:

Arguments are checked against the declaration first: one of another type, or null, makes the call
null. Where null or any type is welcome, the parameter is declared `any`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, TypeAlias, TypeVar

from feel.numbers import as_number
from feel.run import Run
from feel.values import Function, Range, Value, YearsMonths, is_context, is_list, type_of

Implementation: TypeAlias = Callable[..., Value]
_Declared = TypeVar("_Declared", bound=Implementation)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a built-in function.

    Attributes:
        name: its name, for calls with named arguments.
        type: what it takes, a key of the table of checks below.
        optional: whether it may be left out, which null is not.
        variadic: whether it takes all arguments from its place on.
    """

    name: str
    type: str
    optional: bool = False
    variadic: bool = False

    def __str__(self) -> str:
        dots = "..." if self.variadic else ""
        return f"{self.name}{'?' if self.optional else ''}{dots}: {self.type}"


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a built-in function.

    Attributes:
        name: the function's name.
        parameters: its parameters in order.
        call: takes the run and the arguments, checks them, and gives the result.
        weight: steps that one call takes, beside those for what it makes.
        summary: what it does, in one sentence.
        examples: pairs of an expression and one that gives the same result.
    """

    name: str
    parameters: tuple[Parameter, ...]
    call: Implementation
    weight: int
    summary: str
    examples: tuple[tuple[str, str], ...]

    def takes(self, labels: Sequence[str | None]) -> bool:
        """Whether it can be called with arguments of these names (None: by place).

        As on Camunda, what a call with names leaves out is null.
        """
        if labels and labels[0] is not None:
            return set(labels) <= {parameter.name for parameter in self.parameters}
        least = sum(1 for each in self.parameters if not each.optional)
        if any(each.variadic for each in self.parameters):
            return least <= len(labels)
        return least <= len(labels) <= len(self.parameters)


class Category:
    """A part of the reference, to which functions are added.

    Attributes:
        name: its heading.
        overloads: the ways to call its functions, in the order of their declaration.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.overloads: list[Overload] = []

    def function(
        self, name: str, parameters: str, *examples: tuple[str, str], weight: int = 1
    ) -> Callable[[_Declared], _Declared]:
        """Declare a built-in function.

        Args:
            name: its name.
            parameters: `name: type` with commas between; `name?: type` may be left out,
                `name...: type` takes all arguments from its place on.
            examples: pairs of an expression and one with the same result.
            weight: steps that one call takes, beside those for what it makes.
        """
        declared = tuple(_parameter(part) for part in parameters.split(", ") if part)

        def declare(implementation: _Declared) -> _Declared:
            summary = (implementation.__doc__ or "").split("\n\n")[0].replace("\n    ", " ")
            overload = Overload(
                name,
                declared,
                _checked(name, declared, implementation),
                weight,
                summary,
                examples,
            )
            self.overloads.append(overload)
            return implementation

        return declare


def _parameter(declaration: str) -> Parameter:
    name, _, type_ = declaration.partition(": ")
    variadic = name.endswith("...")
    name = name.removesuffix("...")
    return Parameter(name.removesuffix("?"), type_, name.endswith("?"), variadic)


LEFT_OUT: Final = object()
"""Stands for a parameter that a call with named arguments leaves out."""
_UNFIT: Final = object()


def _check(*types: type) -> Callable[[Value], Value]:
    return lambda value: value if isinstance(value, types) else _UNFIT


def _number(value: Value) -> Value:
    number = as_number(value)
    return _UNFIT if number is None else number


def _whole(value: Value) -> Value:
    number = as_number(value)
    return int(number) if number is not None else _UNFIT


_CHECKS: Final[dict[str, Callable[[Value], Value]]] = {
    "any": lambda value: value,
    "boolean": _check(bool),
    "string": _check(str),
    "number": _number,
    "integer": _whole,
    "list": lambda value: value if is_list(value) else _UNFIT,
    "context": lambda value: value if is_context(value) else _UNFIT,
    "function": _check(Function),
    "range": _check(Range),
    "date": lambda value: value if type(value) is date else _UNFIT,
    "time": _check(time),
    "date and time": _check(datetime),
    "date or date and time": _check(date),
    "duration": _check(timedelta, YearsMonths),
    "days and time duration": _check(timedelta),
}


def _checked(
    name: str, parameters: tuple[Parameter, ...], implementation: Implementation
) -> Implementation:
    """The implementation behind the checks of its arguments."""
    checks = [_CHECKS[each.type] for each in parameters if not each.variadic]
    rest = next((_CHECKS[each.type] for each in parameters if each.variadic), None)

    def call(run: Run, *arguments: Value) -> Value:
        fit: list[Value] = []
        for check, argument in zip(checks, arguments, strict=False):
            if argument is LEFT_OUT:
                fit.append(None)
                continue
            value = check(argument)
            if value is _UNFIT:
                return warn_argument(run, name, parameters[len(fit)], argument)
            fit.append(value)
        if rest is not None:
            for argument in arguments[len(checks) :]:
                value = rest(argument)
                if value is _UNFIT:
                    return warn_argument(run, name, parameters[-1], argument)
                fit.append(value)
        result = implementation(run, *fit)
        if result is None and run.warnings is not None:
            run.warn("wrong-argument", f"function `{name}` came to null")
        return result

    return call


def warn_argument(run: Run, name: str, parameter: Parameter, argument: Value) -> None:
    """Note that a function does not take an argument of this type."""
    if run.warnings is not None:
        article = "an" if parameter.type[0] in "aeiou" else "a"
        run.warn(
            "wrong-argument",
            f"function `{name}` takes {article} {parameter.type} as `{parameter.name}`,"
            f" not {type_of(argument)}",
        )
