from __future__ import annotations

from feel.errors import FunctionUnavailable
from feel.functions.registry import Category
from feel.run import Run
from feel.values import Value

MISCELLANEOUS = Category("Miscellaneous functions")


@MISCELLANEOUS.function(
    "fromAi",
    "value: any, description?: any, type?: any, schema?: any, options?: any",
)
def from_ai(_run: Run, *_arguments: Value) -> Value:
    """Not available: it marks inputs of an AI agent's tools, which only Camunda's agent reads."""
    raise FunctionUnavailable(
        "`fromAi` is not available: it marks inputs of an AI agent's tools, and there is no agent;"
        " use the value itself"
    )
