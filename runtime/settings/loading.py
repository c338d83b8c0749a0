from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import getitem
from typing import Annotated, Any, TypeVar

from pydantic import SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from runtime.errors import Fault, SettingsError
from runtime.settings.base import Settings
from runtime.settings.spelling import unknown_names
from runtime.settings.variable import Kind, Variable, choices, find, leaf_types

S = TypeVar("S", bound=Settings)

_PLAIN_WORDS = {
    "bool_parsing": ("is neither true nor false", "set it to true or false"),
    "int_parsing": ("is no whole number", "set it to a whole number"),
    "int_from_float": ("is no whole number", "set it to a whole number"),
    "float_parsing": ("is no number", "set it to a number"),
}


def load(settings_class: type[S], environ: Mapping[str, str], also_known: Sequence[str] = ()) -> S:
    """Read settings from environment variables.

    An empty variable counts as not set, unless its field says that blank counts. Choices are taken
    in any case, and white space around a value is dropped (of secrets: line ends only).

    Args:
        settings_class: What to read.
        environ: The environment, `os.environ` or a test's dictionary.
        also_known: Patterns of names under our prefixes that something else reads.

    Raises:
        SettingsError: With every fault: values that are wrong, variables that are missing, rules
            across fields that are broken, unknown names under the class's prefixes.
    """
    found = _found(settings_class, environ)
    values, faults = _validated(settings_class, found)
    known = settings_class.model_construct(None, **values)
    faulty = {fault_field for fault_field, _ in faults}
    every = [
        *(fault for _, fault in faults),
        *_broken_rules(settings_class, known, faulty),
        *unknown_names(settings_class, environ, also_known),
    ]
    if every:
        raise SettingsError(every)
    try:
        return settings_class(**values)
    except ValidationError as error:
        # Validators of the class itself, beside those in the annotations.
        raise SettingsError(list(_class_faults(settings_class, error))) from None


def name_in_use(variable: Variable, environ: Mapping[str, str]) -> str | None:
    """The first of a variable's names that is set, None when none is."""
    return next(
        (
            name
            for name in variable.names
            if name in environ and (variable.blank_counts or environ[name].strip())
        ),
        None,
    )


def _found(
    settings_class: type[Settings], environ: Mapping[str, str]
) -> Mapping[str, tuple[str, str]]:
    """Field name to the variable that is set for it and its tidied text."""
    found = {}
    for field_name, field, variable in settings_class.fields():
        name = name_in_use(variable, environ)
        if name is not None:
            found[field_name] = (name, _tidied(field, environ[name]))
    return found


def _tidied(field: FieldInfo, text: str) -> str:
    if SecretStr in leaf_types(field.annotation):
        return text.rstrip("\r\n")
    stripped = text.strip()
    same = (word for word in choices(field) if word.casefold() == stripped.casefold())
    return next(same, stripped)


def _validated(
    settings_class: type[Settings], found: Mapping[str, tuple[str, str]]
) -> tuple[dict[str, Any], list[tuple[str, Fault]]]:
    """Good values by field, and a fault for each field that is not good.

    Fields are validated one by one, so that rules can still run on the good ones.
    """
    values: dict[str, Any] = {}
    faults: list[tuple[str, Fault]] = []
    for name, field, variable in settings_class.fields():
        if name not in found:
            if field.is_required():
                faults.append((name, _missing(variable)))
            continue
        used, text = found[name]
        try:
            values[name] = _adapter(field).validate_python(text)
        except ValidationError as error:
            faults.append((name, _fault(used, field, error.errors()[0])))
    return values, faults


def _adapter(field: FieldInfo) -> TypeAdapter[Any]:
    # `getitem`, because a type that is put together while running is not for a type checker.
    annotation: Any = getitem(Annotated, (field.annotation, *field.metadata))
    return TypeAdapter(annotation)


def _missing(variable: Variable) -> Fault:
    return Fault(variable.names[0], "is not set", f"set it: {variable.meaning}")


def _class_faults(settings_class: type[Settings], error: ValidationError) -> Iterator[Fault]:
    variables = {name: variable for name, _, variable in settings_class.fields()}
    for detail in error.errors():
        field = detail["loc"][0] if detail["loc"] else ""
        name = variables[str(field)].names[0] if field in variables else settings_class.__name__
        yield Fault(name, _sentence(detail["msg"]), "change it accordingly")


def _fault(name: str, field: FieldInfo, error: ErrorDetails) -> Fault:
    if error["type"] == "literal_error":
        return Fault(name, "is none of the choices", f"set it to {_or(choices(field))}")
    kind = find(field, Kind)
    problem, remedy = _PLAIN_WORDS.get(
        error["type"], (_sentence(error["msg"]), "change it accordingly")
    )
    if kind is not None:
        remedy = f"set it to {kind.expected}"
    return Fault(name, problem, remedy)


def _or(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _sentence(message: str) -> str:
    plain = message.removeprefix("Value error, ")
    return plain.replace("Input should be", "must be").replace("String should", "must")


def _broken_rules(
    settings_class: type[Settings], known: Settings, faulty: set[str]
) -> Iterator[Fault]:
    for rule in settings_class.all_rules():
        if faulty.isdisjoint(rule.fields):
            yield from rule.check(known)
