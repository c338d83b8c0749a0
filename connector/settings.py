from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from connector.cluster import Api
from connector.connection import Connection
from connector.inputs import Policy
from connector.pipeline import Upstream
from runtime.proxy import ProxySettings
from runtime.settings import ByteSize, CommaList, DurationMs, DurationS, Fault, Port, Rule, Variable

_ENVIRONMENT = "CAMUNDA_CONNECTOR_SECRETPROVIDER_ENVIRONMENT"
_CONSOLE = "CAMUNDA_CONNECTOR_SECRETPROVIDER_CONSOLE"
_HOST = re.compile(r"[^\s/@:\[\]]+|[0-9A-Fa-f.*]*:[0-9A-Fa-f:.*]*:[0-9A-Fa-f:.*]*")
SECRETS_PREFIX = f"{_ENVIRONMENT}_PREFIX"


def _check_console(settings: ConnectorSettings) -> Iterator[Fault]:
    if settings.secrets_from_console and settings.credentials is None:
        yield Fault(
            f"{_CONSOLE}_ENABLED",
            "needs the credentials of a client",
            f"set {settings.name_of('client_id')} and {settings.name_of('client_secret')}",
        )


def _check_job_types(settings: ConnectorSettings) -> Iterator[Fault]:
    if settings.official_templates and settings.http_rest_type == settings.job_type:
        yield Fault(
            "CONNECTOR_HTTP_REST_TYPE",
            "is the job type of our own template too",
            "give the two templates different types",
        )


def _check_hosts(settings: ConnectorSettings) -> Iterator[Fault]:
    # A pattern with a port or brackets would match nothing, and so forbid what it should allow.
    if not all(_HOST.fullmatch(host) for host in settings.allowed_hosts):
        yield Fault(
            "CONNECTOR_ALLOWED_HOSTS",
            "has an entry that is no host alone",
            "leave out scheme, port, path and brackets, as in operate.example.com,*.camunda.io,::1",
        )


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
    watched_prefixes: ClassVar = (*Connection.watched_prefixes, "CAMUNDA_CONNECTOR_")
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(("stream_enabled", "max_jobs_active"), _check_streaming),
        Rule(("allowed_hosts",), _check_hosts),
        Rule(("official_templates", "http_rest_type", "job_type"), _check_job_types),
        Rule(
            ("secrets_from_console", "auth_method", "client_id", "client_secret"),
            _check_console,
        ),
    )

    job_type: Annotated[
        str,
        Field(min_length=1),
        Variable("CONNECTOR_OPERATE_TYPE", meaning="Job type of our own element template."),
    ] = "operate-connector:1"
    official_templates: Annotated[
        bool,
        Variable(
            "CONNECTOR_OFFICIAL_TEMPLATES",
            meaning="Also take the jobs that Camunda's own Operate templates make, which have the "
            "type of its REST connector; other jobs of that type are handed back.",
        ),
    ] = False
    http_rest_type: Annotated[
        str,
        Field(min_length=1),
        Variable("CONNECTOR_HTTP_REST_TYPE", meaning="Job type of those templates."),
    ] = "io.camunda:http-json:1"
    http_rest_timeout_ms: Annotated[
        DurationMs | None,
        Variable(
            "CONNECTOR_HTTP_REST_TIMEOUT",
            meaning="As `CONNECTOR_JOB_TIMEOUT`, for the jobs of those templates alone.",
        ),
    ] = None
    max_jobs_active: Annotated[
        int,
        Field(ge=1, le=10_000),
        Variable("CONNECTOR_MAX_JOBS_ACTIVE", meaning="Jobs held at once, of each job type."),
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
            meaning="Hosts that tasks may name in Operate and token URLs, without ports, `*` as a "
            "wildcard. Empty allows any.",
        ),
    ] = ()
    max_response_bytes: Annotated[
        ByteSize,
        Field(ge=1),
        Variable("CONNECTOR_MAX_RESPONSE_BYTES", meaning="Largest answer that is read."),
    ] = 50 * 1024 * 1024
    coalesce_ms: Annotated[
        DurationMs,
        Field(ge=0),
        Variable(
            "CONNECTOR_COALESCE_MS",
            meaning="Jobs that ask for the very same thing with the same credentials share a "
            "request that is no older than this. 0: each asks for itself.",
        ),
    ] = 0
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
    secrets_by_tenant: Annotated[
        bool,
        Variable(
            f"{_ENVIRONMENT}_TENANTAWARE",
            meaning="Puts the id of the job's tenant and `_` between that prefix and `X`.",
        ),
    ] = False
    secrets_by_process: Annotated[
        bool,
        Variable(
            f"{_ENVIRONMENT}_PROCESSDEFINITIONAWARE",
            meaning="Puts the id of the job's process and `_` before `X`, after the tenant's.",
        ),
    ] = False
    secrets_from_environment: Annotated[
        bool,
        Variable(f"{_ENVIRONMENT}_ENABLED", meaning="Whether the environment has secrets at all."),
    ] = True
    secrets_from_console: Annotated[
        bool,
        Variable(
            f"{_CONSOLE}_ENABLED",
            meaning="Takes secrets from Camunda's Console (SaaS) too, with the gateway's client.",
        ),
    ] = False
    console_endpoint: Annotated[
        str,
        Variable(f"{_CONSOLE}_ENDPOINT", meaning="Where Console gives them."),
    ] = "https://cluster-api.cloud.camunda.io/secrets"
    console_audience: Annotated[
        str,
        Variable(f"{_CONSOLE}_AUDIENCE", meaning="Audience of the token for it."),
    ] = "secrets.camunda.io"
    upstream_secrets: Annotated[
        bool,
        Variable(
            "CONNECTOR_UPSTREAM_SECRETS",
            meaning="Fills secrets in as Camunda's runtime does: over the whole text, keys and "
            "`mysecrets.X` included, and again in what a secret expands to.",
        ),
    ] = False
    upstream_response: Annotated[
        bool,
        Variable(
            "CONNECTOR_UPSTREAM_RESPONSE",
            meaning="After a success, `response` in an error expression is the output variables "
            "alone, as in Camunda's runtime, and not the answer as well.",
        ),
    ] = False
    secrets_dir: Annotated[
        Path | None,
        Variable(
            "CONNECTOR_SECRETS_DIR",
            meaning="Directory of secret files, one a secret, as Kubernetes and Docker mount them.",
        ),
    ] = None

    @property
    def upstream(self) -> Upstream:
        """What is to be as upstream, though we know better."""
        return Upstream(self.upstream_response, self.upstream_secrets)

    @property
    def policy(self) -> Policy:
        """What tasks are allowed to ask for."""
        return Policy(self.allowed_hosts, self.allow_delete, self.api)
