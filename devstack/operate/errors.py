"""The API v1's refusals.

    DevstackError
    └── ApiError                 status, and the `type` that the body carries
        ├── InvalidDataError     400  sort and searchAfter
        ├── InvalidRequestError  400  size, JSON, keys, a filter's types, a deletion too early
        ├── UnknownKeyError      404
        └── StoreFailureError    500  what the real store would choke on

Source: Operate's public code and tests. The message is for people; clients match status and type.
"""

from __future__ import annotations

from typing import ClassVar

from devstack.errors import DevstackError


class ApiError(DevstackError):
    """A refusal with the status and the type that the API v1 gives it."""

    status: ClassVar[int]
    type: ClassVar[str]


class InvalidDataError(ApiError):
    """The sort or the place to go on from is not one the entity has."""

    status = 400
    type = "Data invalid"


class InvalidRequestError(ApiError):
    """The request as a whole cannot be read or must not be done."""

    status = 400
    type = "Invalid request"


class UnknownKeyError(ApiError):
    """There is no entity with the key."""

    status = 404
    type = "Requested resource not found"


class StoreFailureError(ApiError):
    """The checks let it pass, and the store behind the API fails."""

    status = 500
    type = "API application error"
