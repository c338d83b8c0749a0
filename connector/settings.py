from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from connector.cluster import Api
from connector.connection import Connection
from connector.inputs import Policy
from runtime.proxy import ProxySettings
from runtime.settings import ByteSize, CommaList, DurationS, Fault, Port, Rule, Variable

SECRETS_PREFIX = "CAMUNDA_CONNECTOR_SECRETPROVIDER_ENVIRONMENT_PREFIX"


def _check_streaming(settings: ConnectorSettings) -> Iterator[Fault]:
    if settings.stream_enabled and settings.max_jobs_active == 1:
        yield Fault(
            "CONNECTOR_MAX_JOBS_ACTIVE",
            "leaves no room to poll beside the stream",
            "set it to 2 or more, or CONNECTOR_STREAM_ENABLED to false",
        )


class ConnectorSettings(Connection, ProxySettings):
    """Everything that an operator can set on the connector."""

    prefixes: ClassVar = ("CONNECTOR_",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(("stream_enabled", "max_jobs_active"), _check_streaming),
    )

    job_type: Annotated[
        str,
        Field(min_length=1),
        Variable("CONNECTOR_OPERATE_TYPE", meaning="Job type of our own element template."),
    ] = "operate-connector:1"
    max_jobs_active: Annotated[
        int,
        Field(ge=1, le=10_000),
        Variable("CONNECTOR_MAX_JOBS_ACTIVE", meaning="Jobs held at once."),
    ] = 100
    job_timeout_s: Annotated[
        DurationS,
        Field(ge=0.001),
        Variable(
            "CONNECTOR_JOB_TIMEOUT",
            meaning="How long a job is this worker's before the engine gives it to another.",
        ),
    ] = 300.0
    stream_enabled: Annotated[
        bool,
        Variable(
            "CONNECTOR_STREAM_ENABLED",
            meaning="Job streaming beside polling: lower latency, more work for each job.",
        ),
    ] = False
    api: Annotated[
        Api,
        Variable(
            "CONNECTOR_API",
            meaning="API for tasks whose `cluster.api` is absent or `auto`. `v2` is not available "
            "in this version.",
        ),
    ] = "auto"
    drain_deadline_s: Annotated[
        DurationS,
        Field(ge=0),
        Variable(
            "CONNECTOR_DRAIN_DEADLINE",
            meaning="How long jobs in hand may still take after SIGTERM.",
        ),
    ] = 25.0
    allow_delete: Annotated[
        bool,
        Variable("CONNECTOR_ALLOW_DELETE", meaning="Lets tasks delete process instances."),
    ] = False
    allowed_hosts: Annotated[
        CommaList,
        Variable(
            "CONNECTOR_ALLOWED_HOSTS",
            meaning="Hosts that tasks may name in Operate and token URLs, `*` as a wildcard. "
            "Empty allows any.",
        ),
    ] = ()
    max_response_bytes: Annotated[
        ByteSize,
        Field(ge=1),
        Variable("CONNECTOR_MAX_RESPONSE_BYTES", meaning="Largest answer that is read."),
    ] = 50 * 1024 * 1024
    management_port: Annotated[
        Port,
        Variable("CONNECTOR_MANAGEMENT_PORT", meaning="Port of health, metrics and status."),
    ] = 9601
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Variable("CONNECTOR_LOG_LEVEL", meaning="Least severe entries that are logged."),
    ] = "INFO"
    log_format: Annotated[
        Literal["json", "text"],
        Variable("CONNECTOR_LOG_FORMAT", meaning="One JSON object a line, or text for people."),
    ] = "json"
    secrets_prefix: Annotated[
        str,
        Variable(
            SECRETS_PREFIX,
            meaning="Secret `X` is read from the environment variable of this prefix and `X`.",
            blank_counts=True,
        ),
    ] = "SECRET_"
    secrets_dir: Annotated[
        Path | None,
        Variable(
            "CONNECTOR_SECRETS_DIR",
            meaning="Directory of secret files, one a secret, as Kubernetes and Docker mount them.",
        ),
    ] = None

    @property
    def policy(self) -> Policy:
        """What tasks are allowed to ask for."""
        return Policy(self.allowed_hosts, self.allow_delete, self.api)
