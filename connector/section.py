"""The ground that the sections of the inputs share: how they are read, and how faults are told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

from connector.errors import Faults


class Section(BaseModel):
    """One part of a task's inputs: frozen, camelCase outside, unknown names refused."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        str_strip_whitespace=True,
    )


SectionT = TypeVar("SectionT", bound=Section)


def refuse(reason: str) -> PydanticCustomError:
    """An error for a validator to raise, whose text reaches the incident as it stands."""
    # Passed as a value: pydantic would take braces in the template itself for placeholders.
    return PydanticCustomError("refused", "{reason}", {"reason": reason})


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint at the right name: the nearest one, or all of them when none is near."""
    by_lower = {item.lower(): item for item in names}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    if close:
        return f"did you mean {by_lower[close[0]]}?"
    return f"choose one of {', '.join(by_lower.values())}"


def given(value: Mapping[str, object]) -> dict[str, object]:
    """The entries of `value` that hold something.

    Modeler writes an input that nobody filled in as an empty mapping, which arrives as null.
    """
    return {key: item for key, item in value.items() if not is_blank(item)}


def is_blank(value: object) -> bool:
    """Whether an input says nothing: null, or text without a letter in it."""
    return value is None or (isinstance(value, str) and not value.strip())


def read_section(
    model: type[SectionT],
    value: Mapping[str, object],
    faults: Faults,
    known: Collection[str] = (),
) -> SectionT | None:
    """Read one section; gives the section, or None when it has faults.

    `known` are names that other forms of the section have: they are told apart from misspelt ones.
    """
    try:
        return model.model_validate(given(value))
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            path = ".".join(map(str, detail["loc"]))
            faults.add(path, _reason(detail, model, known))
        return None


def names_of(*models: type[Section]) -> list[str]:
    """The input names of the models, as a modeller writes them."""
    return list(dict.fromkeys(to_camel(name) for model in models for name in model.model_fields))


def _reason(detail: ErrorDetails, model: type[Section], known: Collection[str]) -> str:
    match detail["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden" if str(detail["loc"][-1]) in known:
            return "does not go with the other inputs; remove it"
        case "extra_forbidden":
            return f"is unknown; {nearest(str(detail['loc'][-1]), names_of(model))}"
        case "refused":
            return str(detail["ctx"]["reason"])
        case _:
            return detail["msg"][:1].lower() + detail["msg"][1:]
