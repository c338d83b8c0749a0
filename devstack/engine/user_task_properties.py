from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devstack.bpmn import model
from devstack.bpmn.activities import MAX_PRIORITY
from devstack.bpmn.expression import Expression
from devstack.engine import expressions
from devstack.engine.definitions import Form
from devstack.engine.failure import ElementFailure, ErrorType
from devstack.engine.partition import Partition
from devstack.engine.state import ElementInstance

DEFAULT_PRIORITY = 50


class UserTaskProperties:
    """What the model says about a user task, evaluated when the task begins."""

    def __init__(self, partition: Partition) -> None:
        self._definitions = partition.definitions

    def evaluate(
        self,
        element: model.UserTask,
        instance: ElementInstance,
        variables: Mapping[str, Any],
    ) -> dict[str, Any]:
        """What the element's expressions give, under the record's names.

        Raises:
            ElementFailure: One of them gives a wrong type, or the form is not deployed.
        """

        def text(expression: Expression | None) -> str:
            if expression is None:
                return ""
            return expressions.text(expression, variables)

        return {
            "assignee": text(element.assignee),
            "candidateGroupsList": expressions.names(element.candidate_groups, variables),
            "candidateUsersList": expressions.names(element.candidate_users, variables),
            "dueDate": expressions.date_time(element.due_date, variables),
            "followUpDate": expressions.date_time(element.follow_up_date, variables),
            "formKey": self.form_key(element.form, instance, variables),
            "externalFormReference": text(element.external_form_reference),
            "priority": _priority(element.priority, variables),
        }

    def form_key(
        self,
        reference: model.FormReference | None,
        instance: ElementInstance,
        variables: Mapping[str, Any],
    ) -> int:
        """Key of the form that a task links to; -1 when it links to none.

        Raises:
            ElementFailure: No such form is deployed.
        """
        if reference is None:
            return -1
        form_id = expressions.text(reference.form_id, variables)
        definition = instance.definition
        for form in self._definitions.forms(definition.tenant_id, form_id):
            if _is_bound(form, reference, definition.deployment_key):
                return form.key
        message = _not_found(form_id, reference, definition.deployment_key)
        raise ElementFailure(ErrorType.FORM_NOT_FOUND, message)


def _not_found(form_id: str, reference: model.FormReference, deployment_key: int) -> str:
    """Why there is no form, by its binding, beginning as Zeebe's own message does."""
    match reference.binding:
        case "deployment":
            return (
                f"Expected to use a form with id '{form_id}' with binding type 'deployment', but "
                f"no such form found in the deployment with key {deployment_key} which contained "
                "the current process. Deploy both together and start a new instance."
            )
        case "versionTag":
            return (
                f"Expected to use a form with id '{form_id}' and version tag "
                f"'{reference.version_tag}', but no such form found. Deploy it and resolve this "
                "incident."
            )
        case _:
            return (
                f"Expected to find a form with id '{form_id}', but no form with this id is found. "
                "Deploy it and resolve this incident."
            )


def _is_bound(form: Form, reference: model.FormReference, deployment_key: int) -> bool:
    if reference.binding == "deployment":
        return form.deployment_key == deployment_key
    if reference.binding == "versionTag":
        return form.version_tag == reference.version_tag
    return True


def _priority(expression: Expression | None, variables: Mapping[str, Any]) -> int:
    if expression is None:
        return DEFAULT_PRIORITY
    priority = expressions.integer(expression, variables)
    if not 0 <= priority <= MAX_PRIORITY:
        message = f"Expected priority to be in the range [0,100] but was '{priority}'."
        raise ElementFailure(ErrorType.EXTRACT_VALUE_ERROR, message)
    return priority
