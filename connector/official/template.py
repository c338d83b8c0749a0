from __future__ import annotations

from collections.abc import Mapping

import orjson

from worker.job import Job

TEMPLATE_ID = "io.camunda.connectors.CamundaOperate.v1"
"""The id that all versions share; from version 5 on a task carries it as a header."""

ENDPOINTS = (
    "/v1/process-instances",
    "/v1/incidents",
    "/v1/variables",
    "/v1/process-definitions",
    "/v1/flownode-instances",
)
"""What the template offers as `input.internal_endpoint`."""

FETCHED = (
    "url",
    "headers",
    "authentication",
    "input",
    "connectionTimeoutInSeconds",
    "readTimeoutInSeconds",
)
"""The variables to ask the gateway for; unlike upstream's worker, `input` is among them."""

_CAMUNDAS = "io.camunda.connectors."
_SAAS_HOST = ".operate.camunda.io/"
_SAAS_AUDIENCE = "operate.camunda.io"


def is_operate_call(job: Job) -> bool:
    """Whether an Operate template made this job.

    A header with the id of one of Camunda's templates decides. Versions 0 to 4 write none, and
    copies have an id of their own: then the inputs have to be those of this template and of no
    other one of Camunda's that is built in the same way.
    """
    template_id = _object(job.custom_headers_json).get("elementTemplateId")
    if isinstance(template_id, str) and template_id.startswith(_CAMUNDAS):
        return template_id == TEMPLATE_ID
    return are_operate_inputs(_object(job.variables_json))


def are_operate_inputs(variables: Mapping[str, object]) -> bool:
    """Whether these are the inputs of an Operate template."""
    given, authentication = variables.get("input"), variables.get("authentication")
    if not isinstance(given, Mapping) or not isinstance(authentication, Mapping):
        return False
    return given.get("internal_endpoint") in ENDPOINTS and (
        "operate_base_url" in authentication
        or authentication.get("audience") == _SAAS_AUDIENCE
        or _SAAS_HOST in str(variables.get("url"))
    )


def _object(text: str) -> Mapping[str, object]:
    try:
        value = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
