"""Tasks and call activities, and the loop around any activity."""

from __future__ import annotations

from typing import TypedDict

from devstack.bpmn import extensions, model, xml
from devstack.bpmn.expression import Expression
from devstack.bpmn.fields import Fields
from devstack.bpmn.source import Source
from devstack.bpmn.task_listeners import read_task_listeners
from devstack.bpmn.timers import parse_date_time_ms

USER_TASK_JOB_TYPE = "io.camunda.zeebe:userTask"
MAX_PRIORITY = 100
"""Of a user task; the least is 0."""

_JOB_TASKS: dict[str, type[model.JobTask]] = {
    "serviceTask": model.JobTask,
    "sendTask": model.SendJobTask,
    "businessRuleTask": model.BusinessRuleJobTask,
    "scriptTask": model.ScriptJobTask,
}


class Assignment(TypedDict):
    """Who may do a user task and when, as both kinds of user task have it."""

    assignee: Expression | None
    candidate_groups: Expression | None
    candidate_users: Expression | None
    due_date: Expression | None
    follow_up_date: Expression | None
    form: model.FormReference | None


def read_task(_source: Source, node: xml.Node, fields: Fields) -> model.Element:
    """A plain or manual task: nothing to do."""
    kind = model.UndefinedTask if xml.kind(node) == "task" else model.PassTask
    return kind(**fields)


def read_job_task(source: Source, node: xml.Node, fields: Fields) -> model.Element:
    """A task with a `zeebe:taskDefinition`."""
    definition = xml.extension(node, "taskDefinition")
    if definition is None:
        source.faults.add(node, "must have exactly one 'zeebe:taskDefinition' (the job type)")
        return model.PassTask(**fields)
    return _JOB_TASKS[xml.kind(node)](
        **fields,
        job_type=source.required(
            node, definition.get("type"), "Attribute 'type' of taskDefinition"
        ),
        retries=_retries(source, node, definition),
        headers=extensions.headers(source, node),
    )


def read_script_task(source: Source, node: xml.Node, fields: Fields) -> model.Element:
    """A script task: FEEL with `zeebe:script`, else a job."""
    script = xml.extension(node, "script")
    if script is None:
        return read_job_task(source, node, fields)
    result_variable = (script.get("resultVariable") or "").strip()
    if not result_variable:
        source.faults.add(
            node, "Attribute 'resultVariable' of script must be present and not empty"
        )
    return model.ScriptTask(
        **fields,
        expression=_required_feel(source, node, script, "expression"),
        result_variable=result_variable,
    )


def read_user_task(source: Source, node: xml.Node, fields: Fields) -> model.Element:
    """A user task: the engine's own with `zeebe:userTask`, else a job."""
    assignment = _assignment(source, node)
    form_definition = xml.extension(node, "formDefinition")
    if xml.extension(node, "userTask") is None:
        if xml.extension(node, "taskListeners") is not None:
            source.faults.add(node, "task listeners need zeebe:userTask beside them")
        return model.JobUserTask(
            **fields,
            **assignment,
            job_type=Expression.fixed(USER_TASK_JOB_TYPE),
            retries=Expression.fixed("1"),
            headers=extensions.headers(source, node),
            form_key=source.attribute(node, form_definition, "formKey"),
        )
    if form_definition is not None and form_definition.get("formKey"):
        reason = "a zeebe:userTask takes a form by formId or externalReference, not by formKey"
        source.faults.add(node, reason)
    return model.UserTask(
        **fields,
        **assignment,
        priority=_priority(source, node),
        external_form_reference=source.attribute(node, form_definition, "externalReference"),
        headers=extensions.headers(source, node),
        listeners=read_task_listeners(source, node),
    )


def read_call_activity(source: Source, node: xml.Node, fields: Fields) -> model.Element:
    """A call activity with its `zeebe:calledElement`."""
    called = xml.extension(node, "calledElement")
    if called is None:
        source.faults.add(node, "must have exactly one 'zeebe:calledElement' (the process to call)")
        return model.PassTask(**fields)
    binding, version_tag = extensions.binding(source, node, called)
    return model.CallActivity(
        **fields,
        called_process_id=source.required(
            node,
            called.get("processId"),
            "Attribute 'processId' of calledElement",
        ),
        binding=binding,
        version_tag=version_tag,
        propagate_all_child_variables=called.get("propagateAllChildVariables", "true") == "true",
        propagate_all_parent_variables=called.get("propagateAllParentVariables", "true") == "true",
        index=source.call_activities[fields["id"]],
    )


def read_loop(source: Source, node: xml.Node) -> model.Loop | None:
    """The multi-instance loop of an activity; None when it runs once."""
    if xml.child(node, "standardLoopCharacteristics") is not None:
        source.faults.add(
            node, "standard loops are not supported; use a multi-instance or a gateway"
        )
    loop = xml.child(node, "multiInstanceLoopCharacteristics")
    if loop is None:
        return None
    settings = xml.extension(loop, "loopCharacteristics")
    if settings is None:
        source.faults.add(node, "a multi-instance must have 'zeebe:loopCharacteristics'")
        return None
    condition = xml.text(xml.child(loop, "completionCondition"))
    if bool(settings.get("outputCollection")) != bool(settings.get("outputElement")):
        source.faults.add(node, "outputCollection and outputElement come together or not at all")
    return model.Loop(
        sequential=loop.get("isSequential") == "true",
        input_collection=_required_feel(source, node, settings, "inputCollection"),
        input_element=(settings.get("inputElement") or "").strip() or None,
        output_collection=(settings.get("outputCollection") or "").strip() or None,
        output_element=source.must_be_feel(
            node, settings.get("outputElement"), "Attribute 'outputElement' of loopCharacteristics"
        ),
        completion_condition=source.expression(node, condition, "completionCondition"),
    )


def _required_feel(source: Source, node: xml.Node, holder: xml.Node, name: str) -> Expression:
    """An attribute that must be there and must be FEEL."""
    what = f"Attribute '{name}' of {xml.kind(holder)}"
    text = holder.get(name)
    if text is None or not text.strip():
        return source.required(node, text, what)
    return source.must_be_feel(node, text, what) or Expression.fixed("")


def _retries(source: Source, node: xml.Node, definition: xml.Node | None) -> Expression:
    retries = source.attribute(node, definition, "retries") or Expression.fixed("3")
    if retries.is_static and not retries.text.strip().lstrip("+-").isdigit():
        source.faults.add(node, f"retries must be a whole number, not '{retries.text}'")
    return retries


def _assignment(source: Source, node: xml.Node) -> Assignment:
    definition = xml.extension(node, "assignmentDefinition")
    schedule = xml.extension(node, "taskSchedule")
    return Assignment(
        assignee=source.attribute(node, definition, "assignee"),
        candidate_groups=source.attribute(node, definition, "candidateGroups"),
        candidate_users=source.attribute(node, definition, "candidateUsers"),
        due_date=_date(source, node, schedule, "dueDate"),
        follow_up_date=_date(source, node, schedule, "followUpDate"),
        form=extensions.form(source, node),
    )


def _date(
    source: Source,
    node: xml.Node,
    schedule: xml.Node | None,
    name: str,
) -> Expression | None:
    date = source.attribute(node, schedule, name)
    if date is not None and date.is_static:
        try:
            parse_date_time_ms(date.text)
        except ValueError as error:
            source.faults.add(node, f"{name}: {error}")
    return date


def _priority(source: Source, node: xml.Node) -> Expression | None:
    priority = source.attribute(node, xml.extension(node, "priorityDefinition"), "priority")
    if priority is not None and priority.is_static:
        number = priority.text.strip()
        if not number.isdigit() or int(number) > MAX_PRIORITY:
            source.faults.add(
                node, f"priority must be a whole number from 0 to {MAX_PRIORITY}, not '{number}'"
            )
    return priority
