"""How tokens move: element instances are activated, completed and terminated step by step.

Each step is a command that the engine gave itself. What an element does in each step is its
behaviour's business; what is the same for all of them is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from devstack.bpmn import model
from devstack.engine import values
from devstack.engine.definitions import Definition
from devstack.engine.failure import ElementFailure
from devstack.engine.incidents import Incidents
from devstack.engine.partition import Partition, Step, StepKind
from devstack.engine.state import ElementInstance, IncidentCause, InstanceResult, Phase
from devstack.errors import InvalidStateError


class Behaviour(Protocol):
    """What one kind of element does; it may raise ElementFailure to make an incident of it."""

    def activate(self, instance: ElementInstance) -> None:
        """The element is entered; ends with `activated`, or the incident keeps it here."""
        ...

    def complete(self, instance: ElementInstance) -> None:
        """The element is left; ends with `completed`, or the incident keeps it here."""
        ...

    def terminate(self, instance: ElementInstance) -> None:
        """The element is cut short: end what it holds, or when it holds nothing, `terminated`.

        Called again, as a step of its own, when what it held has ended.
        """
        ...


class Container(Behaviour, Protocol):
    """The behaviour of an element that other elements run inside."""

    def child_activating(self, scope: ElementInstance, child: ElementInstance) -> None:
        """An element inside is about to begin; may raise ElementFailure to hold it."""
        ...

    def child_completing(self, scope: ElementInstance, child: ElementInstance) -> None:
        """A path inside is about to end; may raise ElementFailure to hold it."""
        ...

    def child_completed(self, scope: ElementInstance) -> None:
        """A path inside has ended."""
        ...

    def child_terminated(self, scope: ElementInstance) -> None:
        """An element inside was terminated and nothing took its place."""
        ...


class Lifecycle:
    """The transitions of one partition's element instances."""

    def __init__(self, partition: Partition, incidents: Incidents) -> None:
        self._partition = partition
        self._incidents = incidents
        self.behaviours: dict[type[model.Element], Behaviour] = {}
        self.containers: dict[type[model.Element], Container] = {}

    def process(self, step: Step) -> None:
        """Carry out one step."""
        self._partition.writer.processing(step.position)
        match step.kind:
            case StepKind.ACTIVATE:
                self._activate(step.instance)
            case StepKind.COMPLETE:
                self._complete(step.instance)
            case StepKind.TERMINATE:
                self._terminate(step.instance)
            case StepKind.CONTINUE_TERMINATING if step.instance.phase is Phase.TERMINATING:
                self.behaviours[type(step.instance.element)].terminate(step.instance)
            case StepKind.CONTINUE_TERMINATING:
                self._reject(step.kind, step.instance)

    def start(
        self,
        definition: Definition,
        key: int,
        caller: ElementInstance | None = None,
    ) -> ElementInstance:
        """Make a process instance; `plan_activation` sets it going once its variables are set."""
        instance = ElementInstance(
            key=key,
            element=definition.process,
            definition=definition,
            process_instance_key=key,
            root_key=caller.root_key if caller is not None else key,
            scope=None,
            caller=caller,
        )
        instance.value = values.process_instance(instance)
        self._partition.state.instances[key] = instance
        return instance

    def plan_activation(self, instance: ElementInstance) -> None:
        """Activate a process instance after the steps planned before."""
        self._partition.plan(StepKind.ACTIVATE, instance)

    def enter(
        self,
        element: model.Element,
        scope: ElementInstance,
        *,
        variables: Mapping[str, Any] | None = None,
        loop_counter: int = 0,
    ) -> None:
        """Send a token to `element` inside `scope`; it counts as running there from now on."""
        instance = ElementInstance(
            key=0,
            element=element,
            definition=scope.definition,
            process_instance_key=scope.process_instance_key,
            root_key=scope.root_key,
            scope=scope,
            event_variables=variables,
            loop_counter=loop_counter,
        )
        instance.value = values.process_instance(instance)
        scope.tokens += 1
        self._partition.plan(StepKind.ACTIVATE, instance)

    def complete_later(self, instance: ElementInstance) -> None:
        """Complete an instance after the steps planned before."""
        self._partition.plan(StepKind.COMPLETE, instance)

    def terminate_later(self, instance: ElementInstance) -> None:
        """Terminate an instance after the steps planned before."""
        self._partition.plan(StepKind.TERMINATE, instance)

    def continue_terminating(self, instance: ElementInstance) -> None:
        """Go on with a termination that waited for a listener's job."""
        self._partition.plan(StepKind.CONTINUE_TERMINATING, instance)

    def finish_terminating(self, instance: ElementInstance) -> None:
        """Go on with a termination whose inner elements have ended, which Zeebe does at once.

        A step of its own all the same: processes call each other deeper than a call stack goes.
        """
        self._partition.go_on(StepKind.CONTINUE_TERMINATING, instance)

    def activated(self, instance: ElementInstance) -> None:
        """The element is entered: from now on events reach it."""
        instance.phase = Phase.ACTIVATED
        self._event(instance, "ELEMENT_ACTIVATED")

    def completed(
        self,
        instance: ElementInstance,
        flows: tuple[model.SequenceFlow, ...] | None = None,
    ) -> None:
        """The element is left: take `flows` (all outgoing ones by default), or end the path here.

        Raises:
            ElementFailure: The scope around cannot take the end of the path.
        """
        scope = instance.scope
        taken = instance.element.outgoing if flows is None else flows
        path_ends = scope is not None and not taken
        if scope is not None and path_ends:
            self._container(scope).child_completing(scope, instance)
        self._event(instance, "ELEMENT_COMPLETED")
        self._forget(instance)
        for flow in taken:
            self.take(flow, instance)
        if scope is not None and path_ends:
            self._container(scope).child_completed(scope)

    def terminated(self, instance: ElementInstance) -> None:
        """The element is cut short: let the event that did it go on, or tell the scope around."""
        self._event(instance, "ELEMENT_TERMINATED")
        self._forget(instance)
        scope = instance.scope
        if scope is None:
            return
        interruption = instance.interruption
        if interruption is not None and scope.is_active and not scope.interrupted:
            self.enter(interruption.event, scope, variables=interruption.variables)
        else:
            self._container(scope).child_terminated(scope)

    def take(self, flow: model.SequenceFlow, instance: ElementInstance) -> None:
        """Send a token along `flow`; a parallel gateway waits for one on each incoming flow."""
        scope = instance.scope
        if scope is None:
            return
        value = values.sequence_flow(instance, flow)
        key = self._partition.keys.next()
        self._partition.writer.event("PROCESS_INSTANCE", "SEQUENCE_FLOW_TAKEN", key, value)
        target = scope.definition.process.elements[flow.target_id]
        if isinstance(target, model.ParallelGateway) and len(target.incoming) > 1:
            self._arrive(flow, target, scope)
        else:
            self.enter(target, scope)

    def _arrive(
        self,
        flow: model.SequenceFlow,
        gateway: model.ParallelGateway,
        scope: ElementInstance,
    ) -> None:
        arrivals = scope.arrivals.setdefault(gateway.id, {})
        arrivals[flow.id] = arrivals.get(flow.id, 0) + 1
        scope.tokens += 1
        if len(arrivals) < len(gateway.incoming):
            return
        scope.tokens -= len(gateway.incoming)
        left = {flow_id: count - 1 for flow_id, count in arrivals.items() if count > 1}
        scope.arrivals[gateway.id] = left
        self.enter(gateway, scope)

    def terminate_children(self, scope: ElementInstance) -> bool:
        """Terminate all that runs inside; False when nothing does."""
        for child in scope.children.values():
            if child.phase is not Phase.TERMINATING:
                self.terminate_later(child)
        return bool(scope.children)

    def report(self, instance: ElementInstance, *, completed: bool) -> None:
        """Tell who waits for the end of a process instance, if anyone does."""
        if instance.on_result is not None:
            variables = {name: each.value for name, each in instance.variables.items()}
            result = InstanceResult(instance.key, instance.definition, completed, variables)
            instance.on_result(result)

    def _activate(self, instance: ElementInstance) -> None:
        scope = instance.scope
        if instance.phase is Phase.PLANNED:
            if scope is not None:
                scope.tokens -= 1
                if not scope.is_active or scope.interrupted:
                    self._reject(StepKind.ACTIVATE, instance)
                    # The token is gone: it may have been the last thing the scope waited for.
                    self._container(scope).child_terminated(scope)
                    return
            self._begin(instance)
        elif instance.phase is not Phase.ACTIVATING:
            return
        self._attempt(instance, IncidentCause.ACTIVATE, self._enter)

    def _enter(self, instance: ElementInstance) -> None:
        if instance.scope is not None:
            self._container(instance.scope).child_activating(instance.scope, instance)
        self.behaviours[type(instance.element)].activate(instance)

    def _begin(self, instance: ElementInstance) -> None:
        if not instance.key:
            instance.key = self._partition.keys.next()
        self._partition.state.instances[instance.key] = instance
        if instance.scope is not None:
            instance.scope.children[instance.key] = instance
        instance.value = instance.value | values.tree_path(instance)
        instance.phase = Phase.ACTIVATING
        self._event(instance, "ELEMENT_ACTIVATING")

    def _complete(self, instance: ElementInstance) -> None:
        if instance.phase is Phase.ACTIVATED:
            instance.phase = Phase.COMPLETING
            self._event(instance, "ELEMENT_COMPLETING")
        elif instance.phase is not Phase.COMPLETING:
            self._reject(StepKind.COMPLETE, instance)
            return
        behaviour = self.behaviours[type(instance.element)]
        self._attempt(instance, IncidentCause.COMPLETE, behaviour.complete)

    def _terminate(self, instance: ElementInstance) -> None:
        if instance.phase in (Phase.TERMINATING, Phase.ENDED):
            self._reject(StepKind.TERMINATE, instance)
            return
        instance.phase = Phase.TERMINATING
        self._event(instance, "ELEMENT_TERMINATING")
        self.behaviours[type(instance.element)].terminate(instance)

    def _attempt(
        self,
        instance: ElementInstance,
        cause: IncidentCause,
        action: Callable[[ElementInstance], None],
    ) -> None:
        try:
            action(instance)
        except ElementFailure as failure:
            self._incidents.raise_for_element(instance, failure, cause)

    def _forget(self, instance: ElementInstance) -> None:
        instance.phase = Phase.ENDED
        self._partition.state.instances.pop(instance.key, None)
        if instance.scope is not None:
            instance.scope.children.pop(instance.key, None)

    def _container(self, scope: ElementInstance) -> Container:
        return self.containers[type(scope.element)]

    def _event(self, instance: ElementInstance, intent: str) -> None:
        self._partition.writer.event("PROCESS_INSTANCE", intent, instance.key, instance.value)

    def _reject(self, kind: StepKind, instance: ElementInstance) -> None:
        reason = (
            f"Expected to process element '{instance.element.id}', but it or its scope has ended"
        )
        error = InvalidStateError(kind.value, reason)
        key = instance.key or -1
        self._partition.writer.rejection("PROCESS_INSTANCE", key, instance.value, error)
