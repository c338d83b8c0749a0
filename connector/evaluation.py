"""How a task's expressions are evaluated: within bounds, and with words for what went wrong."""

from __future__ import annotations

from collections.abc import Mapping

import feel
from connector.functions import FUNCTIONS

LIMITS = feel.Limits(
    steps=500_000,
    deadline_s=0.25,
    string_chars=2_000_000,
    list_items=200_000,
    regex_s=0.1,
)
"""What one expression may use. It holds up every other job while it runs, so it is about 0.1 s;
a page of a thousand items can still be gone through some dozens of times."""

_SHOWN_CHARS = 1000
_HINTS = 3


def evaluate(expression: str, context: Mapping[str, object]) -> feel.Json:
    """The value of an expression as plain JSON.

    Raises:
        FeelError: when it is no expression, must not go on, or has no JSON form.
    """
    compiled = feel.compile(expression)
    return feel.to_json(compiled.evaluate(context, functions=FUNCTIONS, limits=LIMITS))


def failed(expression: str, error: feel.FeelError) -> str:
    """Why an expression has no value; the engine's own message names line and column."""
    return f"Failed to evaluate expression '{shown(expression)}': {error}"


def shown(text: str) -> str:
    """A text that stands in a message, without the part that would hide the rest of it."""
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def explained(expression: str, context: Mapping[str, object], *, misspelt: bool = False) -> str:
    """Why parts of an expression came to null: names and types, never a value; may be empty.

    Args:
        expression: What was evaluated.
        context: What it could see.
        misspelt: Tell only of names that are nearly right. An expression may well ask for what is
            not there, and mean it.
    """
    try:
        explanation = feel.compile(expression).explain(context, functions=FUNCTIONS, limits=LIMITS)
    except feel.FeelError:
        return ""
    messages = [
        warning.message
        for warning in explanation.warnings
        if not misspelt or "did you mean" in warning.message
    ]
    return "; ".join(message.removesuffix("?") for message in messages[:_HINTS])
