from __future__ import annotations

from enum import Enum


class ErrorType(Enum):
    """What an incident can be about, under Zeebe's names."""

    JOB_NO_RETRIES = "JOB_NO_RETRIES"
    TASK_LISTENER_NO_RETRIES = "TASK_LISTENER_NO_RETRIES"
    IO_MAPPING_ERROR = "IO_MAPPING_ERROR"
    EXTRACT_VALUE_ERROR = "EXTRACT_VALUE_ERROR"
    CONDITION_ERROR = "CONDITION_ERROR"
    UNHANDLED_ERROR_EVENT = "UNHANDLED_ERROR_EVENT"
    CALLED_ELEMENT_ERROR = "CALLED_ELEMENT_ERROR"
    FORM_NOT_FOUND = "FORM_NOT_FOUND"
    MESSAGE_SIZE_EXCEEDED = "MESSAGE_SIZE_EXCEEDED"


class ElementFailure(Exception):
    """An element cannot go on; an incident will say why and let someone solve it.

    Args:
        error_type: What kind of problem it is.
        message: What was expected and what was found.
    """

    def __init__(self, error_type: ErrorType, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
