"""The gateway's messages out of what the engine gives, and the other way round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import orjson
from pyzeebe.proto import gateway_pb2 as pb

from devstack.engine import (
    ActivatedJob,
    Definition,
    Deployment,
    Form,
    InstanceResult,
    StartedInstance,
)

_JOB_BYTES = 1024


def activated_job(job: ActivatedJob) -> pb.ActivatedJob:
    """A job as a worker gets it."""
    instance = job.job.instance
    return pb.ActivatedJob(
        key=job.job.key,
        type=job.job.type,
        processInstanceKey=instance.process_instance_key,
        bpmnProcessId=instance.definition.process_id,
        processDefinitionVersion=instance.definition.version,
        processDefinitionKey=instance.definition.key,
        elementId=instance.element.id,
        elementInstanceKey=instance.key,
        customHeaders=orjson.dumps(dict(job.job.headers)).decode(),
        worker=job.worker,
        retries=job.retries,
        deadline=job.deadline_ms,
        variables=job.variables,
        tenantId=instance.definition.tenant_id,
    )


def job_batches(
    jobs: Iterable[ActivatedJob],
    max_bytes: int,
) -> Iterator[tuple[list[ActivatedJob], pb.ActivateJobsResponse]]:
    """The answers to a poll, each of at most `max_bytes`, beside the jobs that are in it."""
    batch: list[ActivatedJob] = []
    messages: list[pb.ActivatedJob] = []
    size_bytes = 0
    for job in jobs:
        message = activated_job(job)
        job_bytes = message.ByteSize() + _JOB_BYTES
        if batch and size_bytes + job_bytes > max_bytes:
            yield batch, pb.ActivateJobsResponse(jobs=messages)
            batch, messages, size_bytes = [], [], 0
        batch.append(job)
        messages.append(message)
        size_bytes += job_bytes
    if batch:
        yield batch, pb.ActivateJobsResponse(jobs=messages)


def created(instance: StartedInstance) -> pb.CreateProcessInstanceResponse:
    """A process instance that was started."""
    return pb.CreateProcessInstanceResponse(
        processDefinitionKey=instance.definition.key,
        bpmnProcessId=instance.definition.process_id,
        version=instance.definition.version,
        processInstanceKey=instance.key,
        tenantId=instance.definition.tenant_id,
    )


def ended(
    result: InstanceResult,
    names: Sequence[str],
) -> pb.CreateProcessInstanceWithResultResponse:
    """A process instance that has ended, with the variables named (none named: all)."""
    variables = {
        name: value for name, value in result.variables.items() if not names or name in names
    }
    return pb.CreateProcessInstanceWithResultResponse(
        processDefinitionKey=result.definition.key,
        bpmnProcessId=result.definition.process_id,
        version=result.definition.version,
        processInstanceKey=result.key,
        variables=orjson.dumps(variables).decode(),
        tenantId=result.definition.tenant_id,
    )


def deployed(deployment: Deployment) -> pb.DeployResourceResponse:
    """What a deployment made or found there."""
    return pb.DeployResourceResponse(
        key=deployment.key,
        deployments=[
            *(pb.Deployment(process=process(each)) for each in deployment.processes),
            *(pb.Deployment(form=_form(each)) for each in deployment.forms),
        ],
        tenantId=deployment.tenant_id,
    )


def process(definition: Definition) -> pb.ProcessMetadata:
    """One deployed version of a process."""
    return pb.ProcessMetadata(
        bpmnProcessId=definition.process_id,
        version=definition.version,
        processDefinitionKey=definition.key,
        resourceName=definition.resource_name,
        tenantId=definition.tenant_id,
    )


def _form(form: Form) -> pb.FormMetadata:
    return pb.FormMetadata(
        formId=form.form_id,
        version=form.version,
        formKey=form.key,
        resourceName=form.resource_name,
        tenantId=form.tenant_id,
    )


def topology(partitions: int, host: str, version: str) -> pb.TopologyResponse:
    """A cluster of one broker that leads every partition."""
    broker = pb.BrokerInfo(
        nodeId=0,
        host=host,
        port=26501,
        version=version,
        partitions=[
            pb.Partition(
                partitionId=partition_id,
                role=pb.Partition.LEADER,
                health=pb.Partition.HEALTHY,
            )
            for partition_id in range(1, partitions + 1)
        ],
    )
    return pb.TopologyResponse(
        brokers=[broker],
        clusterSize=1,
        partitionsCount=partitions,
        replicationFactor=1,
        gatewayVersion=version,
    )
