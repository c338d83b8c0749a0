from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from devstack.bpmn import model
from devstack.engine import values
from devstack.engine.failure import ElementFailure, ErrorType
from devstack.engine.lifecycle import Lifecycle
from devstack.engine.state import ElementInstance, Interruption


class ErrorCatcher:
    """Finds the boundary event that catches a BPMN error, and lets it take over."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    def find(
        self,
        instance: ElementInstance,
        code: str,
        message: str = "",
    ) -> tuple[ElementInstance, model.ErrorBoundaryEvent]:
        """The nearest activity around `instance` with an event for `code`, through call activities.

        Raises:
            ElementFailure: Nothing catches it.
        """
        available: list[str] = []
        for host in _around(instance):
            event = _catching(host, code, available)
            if event is not None:
                return host, event
        with_message = f" with message '{message}'" if message else ""
        events = (
            f"Available error events are [{', '.join(available)}]"
            if available
            else "No error events are available in the scope."
        )
        raise ElementFailure(
            ErrorType.UNHANDLED_ERROR_EVENT,
            f"Expected to throw an error event with the code '{code}'{with_message}, "
            f"but it was not caught. {events}",
        )

    def interrupt(
        self,
        host: ElementInstance,
        event: model.ErrorBoundaryEvent,
        variables: Mapping[str, Any],
    ) -> None:
        """End the activity `host`; `event` goes on in its place and carries `variables`."""
        host.interruption = Interruption(event, variables)
        self._lifecycle.terminate_later(host)


def _around(instance: ElementInstance) -> Iterator[ElementInstance]:
    current: ElementInstance | None = instance
    while current is not None:
        root = current
        for scope in values.scopes(current):
            if not scope.is_active or scope.interrupted or scope.interruption is not None:
                return
            yield scope
            root = scope
        current = root.caller


def _catching(
    host: ElementInstance,
    code: str,
    available: list[str],
) -> model.ErrorBoundaryEvent | None:
    elements = host.definition.process.elements
    catch_all: model.ErrorBoundaryEvent | None = None
    for event_id in host.element.boundary_ids:
        event = elements[event_id]
        if isinstance(event, model.ErrorBoundaryEvent):
            if event.error_code == code:
                return event
            if not event.error_code:
                catch_all = event
            available.append(event.error_code or "")
    return catch_all
