"""User task listeners: jobs that a user task's changes wait for (Camunda 8.8)."""

from __future__ import annotations

from devstack.bpmn import xml
from devstack.bpmn.model import TaskListener
from devstack.bpmn.source import Source

EVENTS = ("creating", "assigning", "updating", "completing", "canceling")
DEFAULT_RETRIES = 3


def read_task_listeners(source: Source, node: xml.Node) -> tuple[TaskListener, ...]:
    """The listeners of a user task, in the order in which they are told.

    Zeebe takes FEEL for type and retries too; here they are fixed text.
    """
    holder = xml.extension(node, "taskListeners")
    listeners = []
    for each in holder.iterchildren(xml.ZEEBE + "taskListener") if holder is not None else ():
        event, job_type = each.get("eventType") or "", (each.get("type") or "").strip()
        retries = (each.get("retries") or str(DEFAULT_RETRIES)).strip()
        if event not in EVENTS:
            source.faults.add(
                node, f"unknown task listener event '{event}'; use {', '.join(EVENTS)}"
            )
        elif not job_type or job_type.startswith("=") or not retries.isdigit():
            reason = "a task listener needs a fixed type and whole retries; FEEL is not run for it"
            source.faults.add(node, reason)
        else:
            listeners.append(TaskListener(event, job_type, int(retries)))
    return tuple(listeners)
