from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from runtime.redaction import MASK, mask_text
from runtime.settings.base import Settings
from runtime.settings.variable import Kind, choices, find, leaf_types

_TYPE_NAMES: dict[object, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    SecretStr: "secret",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A setting, as the reference page shows it.

    Attributes:
        names: Environment variables, the one that wins first.
        type: Such as `duration`, or the choices.
        default: As a user would write it; `required`, `none` or `empty` otherwise.
        unit: Unit or notation; empty when there is none.
        meaning: One sentence.
    """

    names: tuple[str, ...]
    type: str
    default: str
    unit: str
    meaning: str


def describe(settings_class: type[Settings]) -> list[Row]:
    """A row for each setting of a class, in the order of declaration."""
    return [
        Row(
            names=variable.names,
            type=_type_name(field),
            default=_default(field),
            unit=kind.unit if (kind := find(field, Kind)) else "",
            meaning=variable.meaning,
        )
        for _, field, variable in settings_class.fields()
    ]


def redacted(settings: Settings) -> dict[str, str | None]:
    """The settings by variable name, as text for the start log.

    Secrets are masked, and so are credentials within URLs.
    """
    return {
        variable.names[0]: _shown(field, getattr(settings, name))
        for name, field, variable in type(settings).fields()
    }


def _type_name(field: FieldInfo) -> str:
    kind = find(field, Kind)
    if kind is not None:
        return kind.name
    if choices(field):
        return ", ".join(choices(field))
    types = [kind for kind in leaf_types(field.annotation) if kind is not type(None)]
    return " or ".join(_TYPE_NAMES.get(kind, "text") for kind in types)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    shown = _shown(field, field.get_default(call_default_factory=True, validated_data={}))
    return "none" if shown is None else shown or "empty"


def _shown(field: FieldInfo, value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, bool):
        return str(value).lower()
    kind = find(field, Kind)
    return mask_text(kind.show(value) if kind else str(value))
