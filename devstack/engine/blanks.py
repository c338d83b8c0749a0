"""Record values in which nothing is known yet: what a command about nothing shows.

Zeebe's records have all fields of their kind always, with these defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

JOB: Final[Mapping[str, Any]] = {
    "type": "",
    "elementId": "",
    "elementInstanceKey": -1,
    "bpmnProcessId": "",
    "processDefinitionVersion": -1,
    "processInstanceKey": -1,
    "processDefinitionKey": -1,
    "customHeaders": {},
    "worker": "",
    "retries": -1,
    "retryBackoff": 0,
    "recurringTime": -1,
    "deadline": -1,
    "timeout": -1,
    "variables": {},
    "errorMessage": "",
    "errorCode": "",
    "tenantId": "<default>",
    "jobKind": "BPMN_ELEMENT",
    "jobListenerEventType": "UNSPECIFIED",
    "changedAttributes": [],
    "tags": [],
    "jobToUserTaskMigration": False,
    "result": {
        "type": "",
        "denied": False,
        "deniedReason": "",
        "correctedAttributes": [],
        "corrections": {
            "assignee": "",
            "dueDate": "",
            "followUpDate": "",
            "candidateGroupsList": [],
            "candidateUsersList": [],
            "priority": -1,
        },
        "activateElements": [],
        "completionConditionFulfilled": False,
        "cancelRemainingInstances": False,
    },
    "rootProcessInstanceKey": -1,
}

USER_TASK: Final[Mapping[str, Any]] = {
    "userTaskKey": -1,
    "assignee": "",
    "candidateGroupsList": [],
    "candidateUsersList": [],
    "changedAttributes": [],
    "dueDate": "",
    "followUpDate": "",
    "formKey": -1,
    "action": "",
    "externalFormReference": "",
    "creationTimestamp": -1,
    "elementId": "",
    "elementInstanceKey": -1,
    "bpmnProcessId": "",
    "processDefinitionVersion": -1,
    "processInstanceKey": -1,
    "processDefinitionKey": -1,
    "variables": {},
    "customHeaders": {},
    "tenantId": "<default>",
    "priority": 50,
    "tags": [],
    "deniedReason": "",
    "listenersConfigKey": -1,
    "rootProcessInstanceKey": -1,
    "businessId": "",
}

PROCESS_INSTANCE: Final[Mapping[str, Any]] = {
    "bpmnProcessId": "",
    "version": -1,
    "tenantId": "<default>",
    "processDefinitionKey": -1,
    "processInstanceKey": -1,
    "elementId": "",
    "flowScopeKey": -1,
    "bpmnElementType": "UNSPECIFIED",
    "bpmnEventType": "UNSPECIFIED",
    "parentProcessInstanceKey": -1,
    "parentElementInstanceKey": -1,
    "elementInstancePath": [],
    "processDefinitionPath": [],
    "callingElementPath": [],
    "tags": [],
    "rootProcessInstanceKey": -1,
    "businessId": "",
}

INCIDENT: Final[Mapping[str, Any]] = {
    "errorType": "UNKNOWN",
    "errorMessage": "",
    "bpmnProcessId": "",
    "processDefinitionKey": -1,
    "processInstanceKey": -1,
    "elementId": "",
    "elementInstanceKey": -1,
    "jobKey": -1,
    "variableScopeKey": -1,
    "tenantId": "<default>",
    "elementInstancePath": [],
    "processDefinitionPath": [],
    "callingElementPath": [],
    "rootProcessInstanceKey": -1,
}

PROCESS_INSTANCE_CREATION: Final[Mapping[str, Any]] = {
    "bpmnProcessId": "",
    "version": -1,
    "tenantId": "<default>",
    "variables": {},
    "fetchVariables": [],
    "processDefinitionKey": -1,
    "processInstanceKey": -1,
    "startInstructions": [],
    "runtimeInstructions": [],
    "tags": [],
    "businessId": "",
}
