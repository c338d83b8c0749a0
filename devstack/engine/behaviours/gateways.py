"""Gateways: pass at once; the exclusive one takes one of its flows, the parallel one all."""

from __future__ import annotations

from typing_extensions import override

from devstack.bpmn import model
from devstack.engine import expressions
from devstack.engine.behaviours.parts import Parts, element_of
from devstack.engine.failure import ElementFailure, ErrorType
from devstack.engine.lifecycle import Behaviour
from devstack.engine.state import ElementInstance


class ParallelGatewayBehaviour(Behaviour):
    """Entered once a token has come in on every flow; takes every outgoing flow."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @override
    def activate(self, instance: ElementInstance) -> None:
        self._parts.lifecycle.activated(instance)
        self._parts.lifecycle.complete_later(instance)

    @override
    def complete(self, instance: ElementInstance) -> None:
        self._parts.lifecycle.completed(instance)

    @override
    def terminate(self, instance: ElementInstance) -> None:
        self._parts.release(instance)
        self._parts.lifecycle.terminated(instance)


class ExclusiveGatewayBehaviour(ParallelGatewayBehaviour):
    """Takes the first flow whose condition is true, else the default flow."""

    @override
    def activate(self, instance: ElementInstance) -> None:
        # Zeebe decides on entering, so that an incident holds the token before the gateway.
        self._choose(instance)
        super().activate(instance)

    @override
    def complete(self, instance: ElementInstance) -> None:
        self._parts.lifecycle.completed(instance, self._choose(instance))

    def _choose(self, instance: ElementInstance) -> tuple[model.SequenceFlow, ...]:
        """The flow to take; none when none leaves the gateway.

        Raises:
            ElementFailure: A condition gives no boolean, or none is true and there is no default.
        """
        element = element_of(instance, model.ExclusiveGateway)
        variables = self._parts.variables.visible(instance)
        default: tuple[model.SequenceFlow, ...] = ()
        for flow in element.outgoing:
            if flow.id == element.default_id:
                default = (flow,)
            elif flow.condition is None or expressions.boolean(flow.condition, variables):
                return (flow,)
        if not default and element.outgoing:
            raise ElementFailure(
                ErrorType.CONDITION_ERROR,
                "Expected at least one condition to evaluate to true, or to have a default flow",
            )
        return default
