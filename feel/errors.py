"""Everything that FEEL can raise.

FeelError
├── FeelSyntaxError       the text is not FEEL: line, column, what was found, what was expected
├── FeelEvaluationError   the text is FEEL, but its evaluation must not go on
│   ├── AssertionFailed       `assert` did not hold
│   ├── FunctionFailed        a function given by the caller refused its arguments
│   ├── FunctionUnavailable   a function of Camunda's reference that cannot be had here
│   └── LimitExceeded         the evaluation asked for more than its limits allow
└── NotJson               a result has no JSON form (a function, a number that is not finite)

A wrong type, a missing variable and a division by zero raise nothing: in FEEL they are null.
"""

from __future__ import annotations


class FeelError(Exception):
    """Root of all errors of the engine."""


class FeelSyntaxError(FeelError):
    """The text is not a FEEL expression.

    Attributes:
        line: line of the fault, 1-based.
        column: column of the fault in that line in characters, 1-based.
        excerpt: the line with the fault, cut to 60 characters around it.
        found: the piece of text at the fault, or "end of text".
        expected: what would have been right there.
    """

    def __init__(self, *, line: int, column: int, excerpt: str, found: str, expected: str) -> None:
        super().__init__(
            f"line {line}, column {column}: expected {expected}, found {found} in: {excerpt}"
        )
        self.line = line
        self.column = column
        self.excerpt = excerpt
        self.found = found
        self.expected = expected


class FeelEvaluationError(FeelError):
    """The evaluation was ended."""


class AssertionFailed(FeelEvaluationError):
    """The condition of an `assert` was not true; the message is the one given to `assert`."""


class FunctionFailed(FeelEvaluationError):
    """Raised by a function that the caller gave to the engine, to end the evaluation.

    The message is the function's own and should tell the author of the expression what to change.
    """


class FunctionUnavailable(FeelEvaluationError):
    """A function that Camunda documents and this engine cannot offer."""


class LimitExceeded(FeelEvaluationError):
    """A limit was reached.

    Attributes:
        limit: which one, by its name in `Limits`, or "nesting" for the depth of the text.
    """

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit


class NotJson(FeelError):
    """A value has no JSON form."""
