from __future__ import annotations

from typing import Any

import orjson

from devstack.errors import MalformedRequestError


def parse_variables(text: str) -> dict[str, Any]:
    """The variables of a request; empty text and `null` are none.

    Raises:
        MalformedRequestError: The text is no JSON, or JSON that is no object.
    """
    if not text:
        return {}
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedRequestError(
            f"Property 'variables' is invalid: the text is no JSON: {error.msg} at line "
            f"{error.lineno}, column {error.colno}",
        ) from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise MalformedRequestError(
            "Property 'variables' is invalid: Expected document to be a root level object, but was "
            f"'{_kind(document)}'",
        )
    return document


def _kind(document: Any) -> str:  # noqa: ANN401 - any JSON value
    """MessagePack's name for the value's type, as Zeebe says it."""
    match document:
        case bool():
            return "BOOLEAN"
        case int():
            return "INTEGER"
        case float():
            return "FLOAT"
        case str():
            return "STRING"
        case _:
            return "ARRAY"
