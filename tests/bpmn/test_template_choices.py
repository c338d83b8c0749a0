"""What the template writes for a user's choices, read by the connector that will get it."""

from __future__ import annotations

import json

import pytest

from connector.inputs import Policy, read_inputs
from tests.kit.modeler import TEMPLATE, run_node

SELF_MANAGED = {"cluster.deployment": "selfManaged", "cluster.operateUrl": "http://localhost:8081"}
CLIENT = {"authentication.clientId": "operate", "authentication.clientSecret": "secret"}
USER = {"authentication.username": "demo", "authentication.password": "demo"}
OAUTH = {"authentication.type": "oauth", "cluster.tokenUrl": "http://localhost:18080/token"}
SEARCH = {"request.endpoint": "incidents", "request.operation": "search", "request.results": "20"}
ALWAYS = {"cluster.api": "auto", "timeoutSeconds": "20"}
CHOICES = {
    "self-managed with OAuth": {**SELF_MANAGED, **OAUTH, **CLIENT, **SEARCH},
    "self-managed with scopes": {
        **SELF_MANAGED,
        **OAUTH,
        **CLIENT,
        **SEARCH,
        "authentication.audience": "our-operate",
        "authentication.scopes": "api://operate/.default",
    },
    "SaaS": {
        "cluster.deployment": "saas",
        "cluster.region": "bru-2",
        "cluster.clusterId": "5b1f8a9e-0c3d-4e57-9a41-7d2c6f0b8e13",
        "authentication.type": "oauth",
        **CLIENT,
        **SEARCH,
    },
    "basic": {**SELF_MANAGED, "authentication.type": "basic", **USER, **SEARCH},
    "session": {**SELF_MANAGED, "authentication.type": "session", **USER, **SEARCH},
    "no authentication": {**SELF_MANAGED, "authentication.type": "none", **SEARCH},
    "by key": {
        **SELF_MANAGED,
        "authentication.type": "none",
        "request.endpoint": "processDefinitions",
        "request.operation": "getByKey",
        "request.key": "2251799813685249",
    },
}
CHOICES |= {
    f"{operation} of {endpoint}": {
        **SELF_MANAGED,
        "authentication.type": "none",
        "request.endpoint": endpoint,
        "request.operation": operation,
        "request.key": "2251799813685249",
    }
    for endpoint, operation in (
        ("processInstances", "statistics"),
        ("processInstances", "sequenceFlows"),
        ("processInstances", "delete"),
        ("processDefinitions", "xml"),
    )
}
NOISE = {
    "cluster.region": "bru-2",
    "cluster.clusterId": "5b1f8a9e-0c3d-4e57-9a41-7d2c6f0b8e13",
    "cluster.tokenUrl": "http://localhost:18080/token",
    **CLIENT,
    **USER,
    "request.key": "1",
    "request.results": "5",
    "request.sort": '=[{field: "key"}]',
}
"""Values that a user typed before choosing otherwise."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def written():
    """The inputs that each choice writes, by its name."""
    results = run_node("write.mjs", TEMPLATE, json.dumps(list(CHOICES.values())))
    return dict(zip(CHOICES, results, strict=True))


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_writes_its_inputs_and_no_others(written, name):
    """Exactly what was chosen is written, and what every task has."""
    assert written[name] == {**CHOICES[name], **ALWAYS}


@pytest.mark.parametrize("name", CHOICES)
def test_the_connector_takes_what_the_template_writes(written, name):
    """No choice in the template leads to inputs that the connector refuses."""
    variables = {}
    for path, value in written[name].items():
        *section, last = path.split(".")
        target = variables.setdefault(section[0], {}) if section else variables
        target[last] = value
    inputs = read_inputs(variables, Policy(allow_delete=True))
    assert inputs.timeout_s == 20
    assert inputs.query.endpoint.name == CHOICES[name]["request.endpoint"]


@pytest.mark.parametrize("name", ["SaaS", "no authentication"])
def test_values_of_an_earlier_choice_are_not_written(name):
    """A field that is not shown leaves nothing behind, least of all a password."""
    chosen = {**NOISE, **CHOICES[name]}
    (inputs,) = run_node("write.mjs", TEMPLATE, json.dumps([chosen]))
    assert inputs == {**CHOICES[name], **ALWAYS, "request.sort": NOISE["request.sort"]}
