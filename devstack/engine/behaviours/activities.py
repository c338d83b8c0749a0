"""Tasks: with nothing to do, with a job, with a user task, with a script."""

from __future__ import annotations

import orjson
from typing_extensions import override

from devstack.bpmn import model
from devstack.engine import expressions
from devstack.engine.behaviours.parts import Parts, element_of
from devstack.engine.lifecycle import Behaviour
from devstack.engine.state import ElementInstance

_PREFIX = "io.camunda.zeebe:"


class Activity(Behaviour):
    """What all activities share: mappings in and out, boundary events while they run."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @override
    def activate(self, instance: ElementInstance) -> None:
        self._parts.mappings.apply_inputs(instance)
        self._begin(instance)

    def _begin(self, instance: ElementInstance) -> None:
        """Start the activity's own work and say that it is activated."""
        self._parts.lifecycle.activated(instance)
        self._parts.lifecycle.complete_later(instance)

    @override
    def complete(self, instance: ElementInstance) -> None:
        self._parts.mappings.apply_outputs(instance)
        self._parts.timers.cancel(instance)
        self._parts.lifecycle.completed(instance)

    @override
    def terminate(self, instance: ElementInstance) -> None:
        self._parts.release(instance)
        self._parts.lifecycle.terminated(instance)


class PassBehaviour(Activity):
    """Passes at once and maps nothing: a manual or a plain task, as Zeebe carries them out."""

    @override
    def activate(self, instance: ElementInstance) -> None:
        self._begin(instance)

    @override
    def complete(self, instance: ElementInstance) -> None:
        self._parts.lifecycle.completed(instance)


class JobTaskBehaviour(Activity):
    """Waits for a job worker."""

    @override
    def _begin(self, instance: ElementInstance) -> None:
        element = element_of(instance, model.JobTask)
        variables = self._parts.variables.visible(instance)
        job_type = expressions.text(element.job_type, variables)
        retries = expressions.integer(element.retries, variables)
        headers = dict(element.headers)
        if isinstance(element, model.JobUserTask):
            headers |= self._user_task_headers(element, instance)
        self._parts.open_boundaries(instance)
        self._parts.jobs.create(instance, job_type, retries, headers)
        self._parts.lifecycle.activated(instance)

    def _user_task_headers(
        self,
        element: model.JobUserTask,
        instance: ElementInstance,
    ) -> dict[str, str]:
        """What a job-based user task tells its worker, under Zeebe's reserved header names."""
        variables = self._parts.variables.visible(instance)
        headers: dict[str, str] = {}
        if element.assignee is not None:
            headers["assignee"] = expressions.text(element.assignee, variables)
        for name, names in (
            ("candidateGroups", element.candidate_groups),
            ("candidateUsers", element.candidate_users),
        ):
            if names is not None:
                headers[name] = orjson.dumps(expressions.names(names, variables)).decode()
        headers["dueDate"] = expressions.date_time(element.due_date, variables)
        headers["followUpDate"] = expressions.date_time(element.follow_up_date, variables)
        if element.form is not None:
            headers["formKey"] = str(
                self._parts.user_task_properties.form_key(element.form, instance, variables)
            )
        elif element.form_key is not None:
            headers["formKey"] = expressions.text(element.form_key, variables)
        return {_PREFIX + name: value for name, value in headers.items() if value}


class UserTaskBehaviour(Activity):
    """Waits for someone who completes the user task."""

    @override
    def _begin(self, instance: ElementInstance) -> None:
        element = element_of(instance, model.UserTask)
        variables = self._parts.variables.visible(instance)
        properties = self._parts.user_task_properties.evaluate(element, instance, variables)
        self._parts.open_boundaries(instance)
        self._parts.user_tasks.create(instance, properties, element.headers)
        self._parts.lifecycle.activated(instance)
        self._parts.user_tasks.assign_initially(instance, properties["assignee"])

    @override
    def terminate(self, instance: ElementInstance) -> None:
        if not self._parts.user_tasks.begin_canceling(instance):
            super().terminate(instance)


class ScriptTaskBehaviour(Activity):
    """Evaluates FEEL; the result is a variable of its own scope until it is mapped out."""

    @override
    def _begin(self, instance: ElementInstance) -> None:
        element = element_of(instance, model.ScriptTask)
        variables = self._parts.variables.visible(instance)
        result = expressions.evaluate(element.expression, variables)
        self._parts.open_boundaries(instance)
        instance.event_variables = {element.result_variable: result}
        super()._begin(instance)
