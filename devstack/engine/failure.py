from __future__ import annotations


class ElementFailure(Exception):
    """An element cannot go on; an incident will say why and let someone solve it.

    Args:
        error_type: Zeebe's name for the kind of problem, such as `IO_MAPPING_ERROR`.
        message: What was expected and what was found.
    """

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
