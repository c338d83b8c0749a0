"""Our element template, held against Camunda's own validator."""

from __future__ import annotations

import json
import re

import pytest

from connector.operations import ENDPOINTS, OPERATIONS
from tests.kit.modeler import TEMPLATE, run_node


def properties():
    return json.loads(TEMPLATE.read_text())["properties"]


def bound(name):
    return [each for each in properties() if each["binding"].get("name") == name]


@pytest.mark.slow
def test_template_is_valid(tmp_path):
    """Camunda's validator takes the template, and names the fault of one that lacks its name."""
    broken = json.loads(TEMPLATE.read_text())
    del broken["name"]
    nameless = tmp_path / "nameless.json"
    nameless.write_text(json.dumps(broken))
    reports = run_node("validate.mjs", TEMPLATE, nameless)
    assert reports[str(TEMPLATE)] == []
    assert any("name" in message for message in reports[str(nameless)])


def test_every_filter_names_the_fields_of_its_endpoint():
    """The hint of each endpoint's filter lists the very fields that the connector can filter by."""
    named = {}
    for each in bound("request.filter"):
        (endpoint,) = (
            condition["equals"]
            for condition in each["condition"]["allMatch"]
            if condition["property"] == "endpoint"
        )
        fields = re.sub(r" \([^)]*\)", "", each["tooltip"].split("Fields: ")[1])
        named[endpoint] = fields.rstrip(".").split(", ")
    assert named == {
        endpoint: [name for name, field in ENDPOINTS[endpoint].fields.items() if field.filterable]
        for endpoint in named
    }


def test_every_endpoint_has_its_filter_and_its_operations():
    """Each endpoint on offer has a filter of its own, and all operations that it knows."""
    (endpoints,) = ([c["value"] for c in each["choices"]] for each in bound("request.endpoint"))
    assert len(bound("request.filter")) == len(endpoints)
    offered = {}
    for each in bound("request.operation"):
        condition = each["condition"]
        for endpoint in condition.get("oneOf", [condition.get("equals")]):
            offered[endpoint] = {choice["value"] for choice in each["choices"]}
    assert offered == {
        endpoint: {operation.name for operation in ENDPOINTS[endpoint].operations}
        for endpoint in endpoints
    }


def test_every_operation_that_needs_a_key_asks_for_it():
    """The field for the key is shown for each such operation, and for no other."""
    (key,) = bound("request.key")
    assert set(key["condition"]["oneOf"]) == {
        operation.name for operation in OPERATIONS.values() if operation.needs_key
    }


def test_template_offers_the_inputs_of_the_job_type():
    """The inputs are those of the contract; paging by the worker itself is not on offer yet."""
    inputs = {each["binding"]["name"] for each in properties() if "name" in each["binding"]}
    cluster = ["deployment", "region", "clusterId", "operateUrl", "tokenUrl", "api"]
    credentials = ["clientId", "clientSecret", "audience", "scopes", "username", "password"]
    request = ["endpoint", "operation", "key", "filter", "sort", "results", "pagination"]
    assert inputs == {
        *(f"cluster.{name}" for name in cluster),
        *(f"authentication.{name}" for name in ["type", *credentials]),
        *(f"request.{name}" for name in request),
        "timeoutSeconds",
    }


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("cluster.operateUrl", "http://operate:8080", "operate:8080"),
        ("cluster.operateUrl", "{{secrets.OPERATE_URL}}", "https://"),
        ("cluster.tokenUrl", '=get or else(tokenUrl, "x")', "ftp://host"),
        ("request.key", "2251799813685249", "order-1"),
        ("request.results", "1000", "1001"),
        ("request.results", "=pageSize", "0"),
        ("timeoutSeconds", "2.5", "20s"),
    ],
)
def test_a_value_that_cannot_work_is_marked_while_it_is_typed(name, good, bad):
    """The pattern of each checked input takes what the connector takes and refuses what fails."""
    (pattern,) = (each["constraints"]["pattern"]["value"] for each in bound(name))
    assert re.search(pattern, good)
    assert not re.search(pattern, bad)


def test_what_a_pattern_says_completes_the_label():
    """Modeler writes the message behind the field's label: "Key must be a whole number"."""
    patterns = [
        p["constraints"]["pattern"] for p in properties() if "pattern" in p.get("constraints", {})
    ]
    assert patterns
    assert all(pattern["message"].startswith("must ") for pattern in patterns)
