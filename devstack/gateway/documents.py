from __future__ import annotations

from typing import Any

import orjson

from devstack.errors import MalformedRequestError

_MAX_DEPTH = 250


def parse_variables(text: str) -> dict[str, Any]:
    """The variables of a request; empty or blank text and `null` are none.

    Raises:
        MalformedRequestError: The text is no JSON, or JSON that is no object.
    """
    if not text.strip():
        return {}
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedRequestError(
            f"Invalid JSON value: {error.msg} at line {error.lineno}, column {error.colno} of the "
            "variables",
        ) from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise MalformedRequestError(
            "Property 'variables' is invalid: Expected document to be a root level object, but was "
            f"'{_kind(document)}'",
        )
    if not _can_be_written(text, document):
        raise MalformedRequestError(
            f"Property 'variables' is invalid: it is nested more than {_MAX_DEPTH} levels deep",
        )
    return document


def _can_be_written(text: str, document: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Whether records can show the document: JSON is read deeper than it is written."""
    if text.count("[") + text.count("{") <= _MAX_DEPTH:
        return True
    try:
        orjson.dumps(document)
    except orjson.JSONEncodeError:
        return False
    return True


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
