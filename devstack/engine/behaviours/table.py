from __future__ import annotations

from devstack.bpmn import model
from devstack.engine.behaviours import activities, containers, events, gateways
from devstack.engine.behaviours.call_activity import CallActivityBehaviour
from devstack.engine.behaviours.multi_instance import MultiInstanceBehaviour
from devstack.engine.behaviours.parts import Parts


def install(parts: Parts) -> None:
    """Tell the lifecycle which behaviour each type of element has."""
    passing = activities.PassBehaviour(parts)
    job = activities.JobTaskBehaviour(parts)
    event = events.PassingEventBehaviour(parts)
    call_activity = CallActivityBehaviour(parts)
    process = containers.ProcessBehaviour(parts, call_activity)
    sub_process = containers.SubProcessBehaviour(parts)
    multi_instance = MultiInstanceBehaviour(parts)
    parts.lifecycle.behaviours.update(
        {
            model.NoneStartEvent: event,
            model.TimerStartEvent: event,
            model.NoneEndEvent: event,
            model.ErrorEndEvent: events.ErrorEndBehaviour(parts),
            model.TerminateEndEvent: events.TerminateEndBehaviour(parts),
            model.NoneThrowEvent: event,
            model.TimerCatchEvent: events.TimerCatchBehaviour(parts),
            model.TimerBoundaryEvent: event,
            model.ErrorBoundaryEvent: event,
            model.PassTask: passing,
            model.UndefinedTask: passing,
            model.JobTask: job,
            model.SendJobTask: job,
            model.BusinessRuleJobTask: job,
            model.ScriptJobTask: job,
            model.JobUserTask: job,
            model.UserTask: activities.UserTaskBehaviour(parts),
            model.ScriptTask: activities.ScriptTaskBehaviour(parts),
            model.ExclusiveGateway: gateways.ExclusiveGatewayBehaviour(parts),
            model.ParallelGateway: gateways.ParallelGatewayBehaviour(parts),
            model.SubProcess: sub_process,
            model.CallActivity: call_activity,
            model.MultiInstanceBody: multi_instance,
            model.Process: process,
        },
    )
    parts.lifecycle.containers.update(
        {
            model.Process: process,
            model.SubProcess: sub_process,
            model.MultiInstanceBody: multi_instance,
        },
    )
