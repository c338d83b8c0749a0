from __future__ import annotations

from grpc import StatusCode

from devstack import errors

_STATUSES: dict[type[errors.DevstackError], StatusCode] = {
    errors.InvalidArgumentError: StatusCode.INVALID_ARGUMENT,
    errors.NotFoundError: StatusCode.NOT_FOUND,
    errors.InvalidStateError: StatusCode.FAILED_PRECONDITION,
    errors.MalformedRequestError: StatusCode.INVALID_ARGUMENT,
    errors.BackPressureError: StatusCode.RESOURCE_EXHAUSTED,
    errors.PermissionRefusedError: StatusCode.PERMISSION_DENIED,
    errors.RequestTimedOutError: StatusCode.DEADLINE_EXCEEDED,
    errors.UnsupportedError: StatusCode.UNIMPLEMENTED,
    errors.UnauthenticatedError: StatusCode.UNAUTHENTICATED,
}


def status_of(error: errors.DevstackError) -> StatusCode:
    """The gRPC status that Zeebe's gateway gives for a refusal."""
    return _STATUSES[type(error)]
