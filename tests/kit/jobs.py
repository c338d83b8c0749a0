"""Jobs and inputs as a gateway would give them; each test changes only what it is about."""

from __future__ import annotations

import orjson

from worker.job import Job

CLUSTER = {
    "deployment": "selfManaged",
    "operateUrl": "http://localhost:8081",
    "tokenUrl": "http://localhost:18080/token",
}
AUTHENTICATION = {"type": "oauth", "clientId": "operate", "clientSecret": "s3cr3t"}
SEARCH = {"endpoint": "processInstances", "operation": "search"}
VARIABLES = {"cluster": CLUSTER, "authentication": AUTHENTICATION, "request": SEARCH}


def variables(**sections):
    """Inputs of a search, with sections replaced."""
    return {**VARIABLES, **sections}


def job(given=VARIABLES, *, headers=None, retries=3, deadline_ms=1_700_000_300_000) -> Job:
    """A job of our own type with the given variables and task headers."""
    return Job(
        key=2251799813685300,
        type="operate-connector:1",
        process_instance_key=2251799813685250,
        bpmn_process_id="stuck-instances",
        process_definition_version=1,
        process_definition_key=2251799813685249,
        element_id="find-stuck",
        element_instance_key=2251799813685299,
        custom_headers_json=orjson.dumps(headers or {}).decode(),
        worker="test",
        retries=retries,
        deadline_ms=deadline_ms,
        variables_json=orjson.dumps(given).decode(),
        tenant_id="<default>",
    )
