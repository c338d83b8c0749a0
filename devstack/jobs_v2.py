"""Jobs over REST, as the API v2 has them from Camunda 8.8 on, and the cluster's topology.

    POST /v2/jobs/activation          jobs of a type; waits for the first ones as it is told
    POST /v2/jobs/{key}/completion    done; `result` is what a user task listener says
    POST /v2/jobs/{key}/failure       not done
    POST /v2/jobs/{key}/error         ended in a BPMN error
    GET  /v2/topology

Sources: the API v2's OpenAPI description and answers of real clusters for an activated job's form;
keys are text, and `userTask` is null for a job of another kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from devstack.engine import DEFAULT_TENANT, ActivatedJob, Engine, JobRequest
from devstack.gateway.dispatch import Dispatch
from devstack.problems import json_response
from devstack.v2_request import answering, json_body, member, path_key, refuse
from runtime.clock import Clock

_LONG_POLL_S = 10.0


class JobApi:
    """Jobs over REST.

    Args:
        engine: carries the commands out.
        clock: for long polls.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._dispatch = Dispatch(engine, clock)

    def routes(self) -> list[web.RouteDef]:
        """The API's paths."""
        return [
            web.post("/v2/jobs/activation", answering(self._activate)),
            web.post("/v2/jobs/{key}/completion", answering(self._complete)),
            web.post("/v2/jobs/{key}/failure", answering(self._fail)),
            web.post("/v2/jobs/{key}/error", answering(self._throw_error)),
            web.get("/v2/topology", answering(self._topology)),
        ]

    async def _activate(self, request: web.Request) -> web.Response:
        body = await json_body(request)
        wanted = JobRequest(
            type=_required(body, "type", str),
            worker=member(body, "worker", str) or "default",
            timeout_ms=_required(body, "timeout", int),
            max_jobs=_required(body, "maxJobsToActivate", int),
            fetch_variables=frozenset(member(body, "fetchVariable", list) or ()),
            tenant_ids=tuple(member(body, "tenantIds", list) or (DEFAULT_TENANT,)),
        )
        wait_ms = member(body, "requestTimeout", int) or 0
        jobs = self._engine.activate_jobs(wanted)
        if not jobs and wait_ms >= 0:
            jobs = await self._dispatch.wait(wanted, wait_ms / 1000 or _LONG_POLL_S)
        if request.transport is None or request.transport.is_closing():
            # Nobody is there any more to take them.
            self._dispatch.hand_back(jobs)
        return json_response({"jobs": [_job(each) for each in jobs]})

    async def _complete(self, request: web.Request) -> None:
        body = await json_body(request)
        variables = member(body, "variables", dict) or {}
        result = member(body, "result", dict) or {}
        self._engine.complete_job(path_key(request), variables, result)

    async def _fail(self, request: web.Request) -> None:
        body = await json_body(request)
        self._engine.fail_job(
            path_key(request),
            retries=member(body, "retries", int) or 0,
            message=member(body, "errorMessage", str) or "",
            backoff_ms=member(body, "retryBackOff", int) or 0,
            variables=member(body, "variables", dict) or {},
        )

    async def _throw_error(self, request: web.Request) -> None:
        body = await json_body(request)
        code = member(body, "errorCode", str)
        if not code:
            refuse("No errorCode provided.")
        self._engine.throw_error(
            path_key(request),
            code=code,
            message=member(body, "errorMessage", str) or "",
            variables=member(body, "variables", dict) or {},
        )

    async def _topology(self, _request: web.Request) -> web.Response:
        version = f"{self._engine.version}.0"
        partitions = [
            {"partitionId": number, "role": "leader", "health": "healthy"}
            for number in range(1, self._engine.partitions + 1)
        ]
        broker = {"nodeId": 0, "host": "localhost", "port": 26501, "version": version}
        return json_response(
            {
                "brokers": [{**broker, "partitions": partitions}],
                "clusterSize": 1,
                "partitionsCount": self._engine.partitions,
                "replicationFactor": 1,
                "gatewayVersion": version,
                "lastCompletedChangeId": "-1",
            }
        )


def _required(body: Mapping[str, Any], name: str, kind: type) -> Any:  # noqa: ANN401 - JSON
    value = member(body, name, kind)
    if value is None:
        refuse(f"No {name} provided.")
    return value


def _job(activated: ActivatedJob) -> dict[str, Any]:
    job, instance = activated.job, activated.job.instance
    transition = job.transition
    return {
        "type": job.type,
        "processDefinitionId": instance.definition.process_id,
        "processDefinitionVersion": instance.definition.version,
        "elementId": instance.element.id,
        "customHeaders": dict(job.headers),
        "worker": activated.worker,
        "retries": activated.retries,
        "deadline": activated.deadline_ms,
        "variables": orjson.Fragment(activated.variables),
        "tenantId": instance.definition.tenant_id,
        "jobKey": str(job.key),
        "processInstanceKey": str(instance.process_instance_key),
        "processDefinitionKey": str(instance.definition.key),
        "elementInstanceKey": str(instance.key),
        "kind": "BPMN_ELEMENT" if transition is None else "TASK_LISTENER",
        "listenerEventType": "UNSPECIFIED" if transition is None else transition.event.upper(),
        "userTask": None if transition is None else _user_task(transition.task.value),
        "tags": [],
        "rootProcessInstanceKey": str(instance.root_key),
    }


def _user_task(value: Mapping[str, Any]) -> dict[str, Any]:
    form_key: int = value["formKey"]
    return {
        "action": value["action"] or None,
        "assignee": value["assignee"] or None,
        "candidateGroups": list(value["candidateGroupsList"]),
        "candidateUsers": list(value["candidateUsersList"]),
        "changedAttributes": list(value["changedAttributes"]),
        "dueDate": value["dueDate"] or None,
        "followUpDate": value["followUpDate"] or None,
        "formKey": str(form_key) if form_key > 0 else None,
        "priority": value["priority"],
        "userTaskKey": str(value["userTaskKey"]),
    }
