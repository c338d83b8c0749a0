from __future__ import annotations

import dataclasses

import pytest
from pyzeebe.proto.gateway_pb2 import ActivatedJob

from worker.job import Job, from_activated, log_fields

ACTIVATED = ActivatedJob(
    key=2251799813685250,
    type="demo",
    processInstanceKey=11,
    bpmnProcessId="order",
    processDefinitionVersion=4,
    processDefinitionKey=12,
    elementId="ask",
    elementInstanceKey=13,
    customHeaders='{"resultVariable": "canary-header"}',
    worker="me",
    retries=3,
    deadline=1_700_000_300_000,
    variables='{"password": "canary-variable"}',
    tenantId="<default>",
)


def test_each_field_arrives_under_its_own_name():
    """No two fields of an activated job change places, and JSON stays text."""
    assert from_activated(ACTIVATED) == Job(
        key=2251799813685250,
        type="demo",
        process_instance_key=11,
        bpmn_process_id="order",
        process_definition_version=4,
        process_definition_key=12,
        element_id="ask",
        element_instance_key=13,
        custom_headers_json='{"resultVariable": "canary-header"}',
        worker="me",
        retries=3,
        deadline_ms=1_700_000_300_000,
        variables_json='{"password": "canary-variable"}',
        tenant_id="<default>",
    )


def test_every_field_of_the_protocol_is_taken_over():
    """A field that a newer protocol adds to jobs does not go unnoticed."""
    assert len(dataclasses.fields(Job)) == len(ActivatedJob.DESCRIPTOR.fields)


def test_a_job_cannot_be_changed():
    """A job is a value."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        from_activated(ACTIVATED).retries = 2


def test_what_a_log_gets_holds_no_variables_and_no_headers():
    """The fields meant for logs show where a job is, and none of its data."""
    fields = log_fields(from_activated(ACTIVATED))
    assert fields["job_key"] == 2251799813685250
    assert fields["process_id"] == "order"
    assert fields["element_id"] == "ask"
    assert "canary" not in str(fields)
