"""What `camunda-devstack` does: be a cluster, deploy to one, start instances in one."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import grpc
import orjson
from pyzeebe.proto.gateway_pb2 import (
    CreateProcessInstanceRequest,
    CreateProcessInstanceWithResultRequest,
    CreateProcessInstanceWithResultResponse,
    DeployResourceRequest,
    Resource,
)
from pyzeebe.proto.gateway_pb2_grpc import GatewayStub

from devstack.environment import client_environment
from devstack.errors import DevstackError
from devstack.stack import Stack, StackOptions
from devstack.version import Version

if TYPE_CHECKING:
    # The asynchronous face of the stub exists for type checkers only.
    from pyzeebe.proto.gateway_pb2_grpc import GatewayAsyncStub


class CommandError(DevstackError):
    """A command that failed at work; the message tells why."""


async def run(options: StackOptions) -> int:
    """Be a cluster until a signal says to stop.

    Raises:
        CommandError: when a port is taken, or the file of records cannot be written.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        async with Stack.start(options) as stack:
            _print(_welcome(stack))
            await stack.serve_until(stopped)
    except OSError as error:
        reason = error.strerror or str(error)
        if error.filename is not None:
            raise CommandError(f"cannot write {error.filename}: {reason}") from error
        remedy = "stop what listens there, or choose other ports with --port-base"
        raise CommandError(f"cannot listen: {reason}; {remedy}") from error
    except ValueError as error:
        raise CommandError(str(error)) from error
    return 0


async def deploy(address: str, files: Iterable[Path], *, tenant_id: str = "") -> int:
    """Deploy files together, for a tenant if one is named, and print what each became.

    Raises:
        CommandError: when the cluster is away or refuses one of them.
    """
    resources = [Resource(name=file.name, content=file.read_bytes()) for file in files]
    async with _gateway(address) as gateway:
        request = DeployResourceRequest(resources=resources, tenantId=tenant_id)
        answer = await gateway.DeployResource(request)
    for deployment in answer.deployments:
        if deployment.HasField("process"):
            process = deployment.process
            _print(
                f"{process.resourceName}: process {process.bpmnProcessId}"
                f" version {process.version} key {process.processDefinitionKey}\n",
            )
        elif deployment.HasField("form"):
            form = deployment.form
            _print(f"{form.resourceName}: form {form.formId} version {form.version}\n")
    return 0


async def start(
    address: str,
    process_id: str,
    *,
    variables: str,
    wait_s: float | None,
    tenant_id: str = "",
) -> int:
    """Start an instance of the latest version and print its key.

    With `wait_s` its variables are printed once it has ended; it may take that many seconds.

    Raises:
        CommandError: when the cluster is away or refuses, or the instance does not end in time.
    """
    request = CreateProcessInstanceRequest(
        bpmnProcessId=process_id,
        version=-1,
        variables=variables,
        tenantId=tenant_id,
    )
    async with _gateway(address) as gateway:
        if wait_s is None:
            created = await gateway.CreateProcessInstance(request)
            _print(f"{created.processInstanceKey}\n")
            return 0
        ended = await _ended(gateway, request, wait_s)
    shown: dict[str, Any] = {
        "processInstanceKey": ended.processInstanceKey,
        "variables": orjson.loads(ended.variables),
    }
    _print(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode() + "\n")
    return 0


async def _ended(
    gateway: GatewayAsyncStub,
    request: CreateProcessInstanceRequest,
    wait_s: float,
) -> CreateProcessInstanceWithResultResponse:
    try:
        return await gateway.CreateProcessInstanceWithResult(
            CreateProcessInstanceWithResultRequest(
                request=request,
                requestTimeout=round(wait_s * 1000),
            ),
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
            raise
        raise CommandError(
            f"the instance was started and did not end within {wait_s:g} s: a task may have no "
            "worker, or there is an incident; the page of the cluster (port 8080) shows where it "
            "stands",
        ) from error


@asynccontextmanager
async def _gateway(address: str) -> AsyncIterator[GatewayAsyncStub]:
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            yield cast("GatewayAsyncStub", GatewayStub(channel))
    except grpc.aio.AioRpcError as error:
        raise CommandError(f"{error.code().name}: {error.details()}") from error


def _welcome(stack: Stack) -> str:
    options = stack.options
    lines = [
        f"A stand-in for Camunda {stack.version} with {options.partitions} partition(s) is up.",
        "",
        f"  gateway (gRPC)   {stack.grpc_address}",
        f"  HTTP APIs        {stack.http_url} and {stack.operate_url} ({_apis(stack.version)})",
        f"  token endpoint   {stack.token_url}",
        f"  event backend    {stack.backend_url} (key demo-key, page at /)",
        *_of_exports(stack),
        "  credentials      client operate/secret, user demo/demo",
        "",
        *(f"  export {name}={value}" for name, value in client_environment(stack).items()),
        "",
        "Stop it with Ctrl-C.",
        "",
    ]
    return "\n".join(lines)


def _apis(version: Version) -> str:
    """What is served where, for people."""
    apis = ["v1 under /v1"] if version.has_operate_v1 else []
    if version.user_task_path is not None:
        apis.append(f"user tasks under {version.user_task_path}")
    return ", ".join(apis)


def _of_exports(stack: Stack) -> list[str]:
    options = stack.options
    lines = []
    if options.elasticsearch:
        lines.append(f"  Elasticsearch    {stack.elasticsearch_url}")
    if options.records is not None:
        lines.append(f"  records          {options.records}")
    return lines


def _print(text: str) -> None:
    # Flushed at once: whoever started the cluster in a pipe waits for these lines.
    sys.stdout.write(text)
    sys.stdout.flush()
