from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic.fields import FieldInfo

T = TypeVar("T")


@dataclass(frozen=True, slots=True, init=False)
class Variable:
    """Where a settings field is read from and what it means; stands in the field's `Annotated`.

    Attributes:
        names: Accepted environment variables; the first that is set wins.
        meaning: One sentence for the reference page.
        blank_counts: Whether an empty value is a value. Without it, empty means not set, because
            compose files write `NAME=${NAME:-}`.
    """

    names: tuple[str, ...]
    meaning: str
    blank_counts: bool

    def __init__(self, *names: str, meaning: str, blank_counts: bool = False) -> None:
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "meaning", meaning)
        object.__setattr__(self, "blank_counts", blank_counts)


@dataclass(frozen=True, slots=True)
class Kind:
    """How values of a type are written, for the reference page and for faults.

    Attributes:
        name: What the reader calls it, such as `duration`.
        unit: Unit of a plain number, and other notations; empty when there is none.
        expected: What to write, with an example, as the end of "set it to …".
        show: Writes a value as a user would.
    """

    name: str
    unit: str
    expected: str
    show: Callable[[Any], str] = str


def find(field: FieldInfo, wanted: type[T]) -> T | None:
    """The first piece of `wanted` metadata on a field, looked for inside unions too."""
    return next((item for item in _metadata(field) if isinstance(item, wanted)), None)


def leaf_types(annotation: object) -> Iterator[object]:
    """The types a field's annotation is made of, with `Annotated` and unions taken apart."""
    if hasattr(annotation, "__metadata__"):
        yield from leaf_types(get_args(annotation)[0])
    elif _is_union(annotation):
        for part in get_args(annotation):
            yield from leaf_types(part)
    else:
        yield annotation


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The words a field may hold when its type is a `Literal`, none otherwise."""
    kinds = [kind for kind in leaf_types(field.annotation) if get_origin(kind) is Literal]
    return tuple(str(word) for kind in kinds for word in get_args(kind))


def _metadata(field: FieldInfo) -> Iterator[object]:
    yield from field.metadata
    yield from _nested_metadata(field.annotation)


def _nested_metadata(annotation: object) -> Iterator[object]:
    yield from getattr(annotation, "__metadata__", ())
    if hasattr(annotation, "__metadata__") or _is_union(annotation):
        for part in get_args(annotation):
            yield from _nested_metadata(part)


def _is_union(annotation: object) -> bool:
    return type(annotation).__name__ in {"UnionType", "_UnionGenericAlias", "Union"}
