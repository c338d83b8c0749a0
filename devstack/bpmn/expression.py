from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import feel
from devstack.bpmn.functions import FUNCTIONS


@dataclass(frozen=True, slots=True)
class Expression:
    """An attribute of the model that is FEEL when it begins with `=`, else fixed text.

    Args:
        text: As in the model, without the leading `=`.
        program: The compiled FEEL, or None when the text stands for itself.
    """

    text: str
    program: feel.Expression | None

    @classmethod
    def parse(cls, text: str) -> Expression:
        """Compile `text` when it is FEEL.

        Raises:
            feel.FeelError: The FEEL does not parse; the error tells where.
        """
        stripped = text.strip()
        if stripped.startswith("="):
            source = stripped[1:].strip()
            return cls(source, feel.compile(source))
        return cls(text, None)

    @classmethod
    def fixed(cls, text: str) -> Expression:
        """Text that stands for itself even when it begins with `=`."""
        return cls(text, None)

    @classmethod
    def null(cls) -> Expression:
        """What a mapping without a source gives."""
        return cls("null", feel.compile("null"))

    @property
    def is_static(self) -> bool:
        """Whether the value is known before any instance runs."""
        return self.program is None

    def warnings(self, context: Mapping[str, Any]) -> tuple[feel.EvaluationWarning, ...]:
        """Why parts of the value are null with `context`; none for fixed text.

        Raises:
            feel.FeelError: The evaluation itself fails.
        """
        if self.program is None:
            return ()
        return self.program.explain(context, functions=FUNCTIONS).warnings

    def evaluate(self, context: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
        """The value as JSON, with `context` as the variables.

        Raises:
            feel.FeelError: The evaluation itself fails; most mistakes give None instead.
        """
        if self.program is None:
            return self.text
        return feel.to_json(self.program.evaluate(context, functions=FUNCTIONS))
