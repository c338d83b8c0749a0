from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from inspect import get_annotations
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from runtime.errors import Fault
from runtime.settings.variable import Variable, find

NEVER_REFUSED = (
    "CONNECTOR_HTTP_PROXY_*",
    "CONNECTOR_HTTPS_PROXY_*",
    "CONNECTOR_OUTBOUND_*",
    "CONNECTOR_*_TYPE",
    "CONNECTOR_*_TIMEOUT",
    "CONNECTOR_*_FUNCTION",
    "*_SERVICE_HOST",
    "*_SERVICE_PORT*",
    "*_PORT",
    "*_PORT_*_TCP*",
)
"""Names that Camunda's connector runtime and Kubernetes set themselves (a Service named
`connector` puts `CONNECTOR_SERVICE_HOST` and more into every pod of its namespace)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A check across fields; runs when each of `fields` by itself is right.

    Attributes:
        fields: Names of the fields it looks at.
        check: Takes the settings, yields a fault for each thing that is wrong.
    """

    fields: tuple[str, ...]
    check: Callable[[Any], Iterable[Fault]]


class Settings(BaseModel):
    """Base of a service's settings: frozen fields, each read from environment variables.

    A field is declared as

        drain_deadline_s: Annotated[
            DurationS, Field(gt=0), Variable("CONNECTOR_DRAIN_DEADLINE", meaning="…")
        ] = 25.0

    and a service puts its settings together by inheriting from several such classes. `load` makes
    an instance from the environment; calling the class with field names serves tests.

    Class attributes:
        prefixes: Names under these that are not known stop the start.
        watched_prefixes: Names under these that look misspelt are worth a warning.
        never_refused: Patterns of names that are nobody's mistake, though under our prefixes.
        also_known: Patterns of names under our prefixes that something else reads.
        rules: Checks across fields; those of all base classes run.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, protected_namespaces=()
    )

    prefixes: ClassVar[tuple[str, ...]] = ()
    watched_prefixes: ClassVar[tuple[str, ...]] = ()
    never_refused: ClassVar[tuple[str, ...]] = NEVER_REFUSED
    also_known: ClassVar[tuple[str, ...]] = ()
    rules: ClassVar[tuple[Rule, ...]] = ()

    @classmethod
    def fields(cls) -> Iterator[tuple[str, FieldInfo, Variable]]:
        """Each field with its variable, in the order of declaration, as readers get to see them.

        What a class adds comes before what it inherits: its own settings are what it is about.

        Raises:
            TypeError: A field has no `Variable`, so nobody could set it.
        """
        declared = (name for kind in cls.__mro__ for name in get_annotations(kind))
        for name in dict.fromkeys(declared):
            field = cls.model_fields.get(name)
            if field is None:
                continue
            variable = find(field, Variable)
            if variable is None:
                raise TypeError(f"{cls.__name__}.{name} needs a Variable in its annotation")
            yield name, field, variable

    @classmethod
    def name_of(cls, field: str) -> str:
        """The first environment variable of a field, for a rule's fault."""
        return next(variable.names[0] for name, _, variable in cls.fields() if name == field)

    @classmethod
    def all_rules(cls) -> Iterator[Rule]:
        """The rules of this class and of those it inherits from."""
        for base in reversed(cls.__mro__):
            yield from base.__dict__.get("rules", ())
