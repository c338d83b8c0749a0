"""Every refusal has its gRPC status."""

from __future__ import annotations

from devstack import errors
from devstack.gateway.statuses import status_of

_GROUPS = {errors.CommandRejectedError, errors.RequestRefusedError}


def _kinds(kind):
    for each in kind.__subclasses__():
        if each.__module__ == errors.__name__:
            yield each
            yield from _kinds(each)


def test_every_refusal_is_mapped():
    """A kind of refusal without a status would be answered as a fault of the server."""
    for kind in set(_kinds(errors.DevstackError)) - _GROUPS:
        arguments = ("X", "y") if issubclass(kind, errors.CommandRejectedError) else ("y",)
        assert status_of(kind(*arguments)).name != "OK"


def test_errors_module_draws_its_tree():
    """The tree at the top of the module names every kind."""
    for kind in _kinds(errors.DevstackError):
        assert kind.__name__ in errors.__doc__
