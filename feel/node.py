"""The base of the parts of an expression: frozen classes that are cheap to define.

`dataclass` writes and compiles a handful of methods for each class, which for thirty classes took
a quarter of the time of `import feel`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, dataclass_transform

_Put: TypeAlias = Callable[[Any, Any], None]


def _one(put_a: _Put) -> Callable[..., None]:
    def init(self: Part, a: object, /) -> None:
        put_a(self, a)

    return init


def _two(put_a: _Put, put_b: _Put) -> Callable[..., None]:
    def init(self: Part, a: object, b: object, /) -> None:
        put_a(self, a)
        put_b(self, b)

    return init


def _three(put_a: _Put, put_b: _Put, put_c: _Put) -> Callable[..., None]:
    def init(self: Part, a: object, b: object, c: object, /) -> None:
        put_a(self, a)
        put_b(self, b)
        put_c(self, c)

    return init


def _four(put_a: _Put, put_b: _Put, put_c: _Put, put_d: _Put) -> Callable[..., None]:
    def init(self: Part, a: object, b: object, c: object, d: object, /) -> None:
        put_a(self, a)
        put_b(self, b)
        put_c(self, c)
        put_d(self, d)

    return init


_BY_PLACE: tuple[Callable[..., Callable[..., None]], ...] = (_one, _two, _three, _four)


@dataclass_transform(frozen_default=True)
class _Shape(type):
    """Makes slots of the annotated names of a class."""

    __match_args__: tuple[str, ...]
    defaults: dict[str, Any]

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> _Shape:
        fields = tuple(namespace.get("__annotations__", ()))
        defaults = {field: namespace.pop(field) for field in fields if field in namespace}
        shape = {"__slots__": fields, "__match_args__": fields, "defaults": defaults}
        made = super().__new__(cls, name, bases, namespace | shape)
        if fields and not defaults and len(fields) <= len(_BY_PLACE):
            puts = [getattr(made, field).__set__ for field in fields]
            made.__init__ = _BY_PLACE[len(fields) - 1](*puts)  # type: ignore[misc]
        return made


class Part(metaclass=_Shape):
    """A part of an expression; a subclass names its fields, and parts with equal ones are equal.

    Where a class has fields with defaults, or more than four, they go by place or name; else by
    place only, which takes a third of the time.
    """

    def __init__(self, *values: Any, **named: Any) -> None:  # noqa: ANN401
        fields = type(self).__match_args__
        given = type(self).defaults | dict(zip(fields, values, strict=False)) | named
        if len(values) > len(fields) or given.keys() != set(fields):
            raise TypeError(f"{type(self).__name__} takes {', '.join(fields) or 'nothing'}")
        for field in fields:
            object.__setattr__(self, field, given[field])

    def __setattr__(self, name: str, _value: object) -> None:
        raise AttributeError(f"cannot assign to field '{name}'")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete field '{name}'")

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, field) for field in type(self).__match_args__)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{field}={getattr(self, field)!r}" for field in type(self).__match_args__
        )
        return f"{type(self).__name__}({shown})"

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), self._values()
