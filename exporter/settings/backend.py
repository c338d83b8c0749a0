from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, SecretStr

from exporter.settings.names import PREFIX, HttpUrl, no_header, only_ours, ours
from runtime.http import CaFile
from runtime.oauth import ClientCredentials
from runtime.proxy import ProxySettings
from runtime.settings import ByteSize, CommaList, DurationMs, Fault, Rule

_HEADERS = ("api_key", "org_id", "cluster_id", "physical_tenant_id")
_CLIENT_ERROR = re.compile(r"4\d\d", re.ASCII)


class BackendSettings(ProxySettings):
    """Where events go, as whom, and how often that is tried."""

    url: Annotated[
        HttpUrl, ours("URL", meaning="Endpoint that events are sent to; nothing is added to it.")
    ]
    api_key: Annotated[
        SecretStr | None, ours("API_KEY", meaning="Sent to the backend as `x-api-key`.")
    ] = None
    oauth_client_id: Annotated[
        str | None,
        ours(
            "OAUTH_CLIENT_ID",
            upstream="OAUTH_CLIENTID",
            meaning="Client id for access tokens to the backend.",
        ),
    ] = None
    oauth_client_secret: Annotated[
        SecretStr | None,
        ours("OAUTH_CLIENT_SECRET", upstream="OAUTH_CLIENTSECRET", meaning="Its secret."),
    ] = None
    oauth_token_url: Annotated[
        HttpUrl | None,
        ours(
            "OAUTH_TOKEN_URL",
            f"{PREFIX}OAUTH_AUTHORIZATION_SERVER_URL",
            upstream="OAUTH_AUTHORIZATIONSERVERURL",
            meaning="Token endpoint; upstream calls it `authorizationServerUrl`.",
        ),
    ] = None
    oauth_audience: Annotated[
        str | None,
        ours("OAUTH_AUDIENCE", upstream="OAUTH_AUDIENCE", meaning="Audience of the token."),
    ] = None
    oauth_scope: Annotated[
        str | None,
        ours("OAUTH_SCOPE", upstream="OAUTH_SCOPE", meaning="Scopes of it, separated by blanks."),
    ] = None
    oauth_resource: Annotated[
        str | None,
        ours("OAUTH_RESOURCE", upstream="OAUTH_RESOURCE", meaning="Resource of it (RFC 8707)."),
    ] = None
    oauth_connect_timeout_ms: Annotated[
        DurationMs,
        Field(ge=1),
        ours(
            "OAUTH_CONNECT_TIMEOUT_MS",
            upstream="OAUTH_CONNECTTIMEOUTMS",
            meaning="For the connection to the token endpoint; a request may take this and the "
            "next together.",
        ),
    ] = 5000
    oauth_read_timeout_ms: Annotated[
        DurationMs,
        Field(ge=1),
        ours(
            "OAUTH_READ_TIMEOUT_MS",
            upstream="OAUTH_READTIMEOUTMS",
            meaning="For the token endpoint's answer.",
        ),
    ] = 5000
    cluster_id: Annotated[
        str | None,
        ours("CLUSTER_ID", "ZEEBE_BROKER_CLUSTER_CLUSTERID", meaning="Sent as `X-Cluster-Id`."),
    ] = None
    org_id: Annotated[
        str | None,
        ours(
            "ORG_ID",
            "CAMUNDA_CLOUD_ORGANIZATION_ID",
            meaning="Sent as `X-Org-Id`, unless it is the word `null`.",
        ),
    ] = None
    physical_tenant_id: Annotated[
        str | None, ours("PHYSICAL_TENANT_ID", meaning="Sent as `X-Physical-Tenant-Id`.")
    ] = None
    ca_file: Annotated[
        CaFile | None,
        only_ours("CA_FILE", "Authorities (PEM) trusted for the backend and the token endpoint."),
    ] = None
    gzip_min_bytes: Annotated[
        ByteSize | None,
        Field(ge=1),
        only_ours("GZIP_MIN_BYTES", "Requests from this size on are compressed; none are without."),
    ] = None
    continue_on_error: Annotated[
        bool,
        ours(
            "CONTINUE_ON_ERROR",
            meaning="What becomes of a batch that is itself the problem (4xx at once, 500 and "
            "other 5xx after all tries): true sets it aside as a dead letter, false tries it for "
            "ever, in order. A backend that is away is waited for on either setting.",
        ),
    ] = True
    max_retries: Annotated[
        int,
        Field(ge=0, le=1000),
        ours(
            "MAX_RETRIES",
            meaning="Second tries in one round. So many and one more must be answered with a 5xx "
            "that blames the batch, over as many rounds as that takes, to set a batch aside.",
        ),
    ] = 2
    retry_delay_ms: Annotated[
        DurationMs,
        Field(ge=0),
        ours("RETRY_DELAY_MS", meaning="Wait before the first second try; it doubles from there."),
    ] = 1500
    retry_max_delay_ms: Annotated[
        DurationMs,
        Field(ge=1),
        only_ours(
            "RETRY_MAX_DELAY_MS", "Longest wait between tries, unless RETRY_DELAY_MS is longer."
        ),
    ] = 5000
    request_timeout_ms: Annotated[
        DurationMs,
        Field(ge=1),
        ours("REQUEST_TIMEOUT_MS", meaning="For one round: a batch with all its tries and waits."),
    ] = 5000
    try_timeout_ms: Annotated[
        DurationMs | None,
        Field(ge=1),
        only_ours("TRY_TIMEOUT_MS", "For one try; what is left of REQUEST_TIMEOUT_MS without."),
    ] = None
    retry_statuses: Annotated[
        CommaList,
        only_ours(
            "RETRY_STATUSES",
            "Statuses of 4xx that mean that the backend is away for now; `none` as upstream.",
        ),
    ] = ("408", "425", "429")
    breaker_failures: Annotated[
        int,
        Field(ge=1),
        only_ours("BREAKER_FAILURES", "Failed tries in a row that open the circuit breaker."),
    ] = 5
    breaker_probe_ms: Annotated[
        DurationMs,
        Field(ge=1),
        only_ours("BREAKER_PROBE_MS", "Time until one request may find out if it is back."),
    ] = 5000

    @property
    def oauth(self) -> ClientCredentials | None:
        """What tokens for the backend are asked with."""
        if not (self.oauth_client_id and self.oauth_client_secret and self.oauth_token_url):
            return None
        return ClientCredentials(
            token_url=self.oauth_token_url,
            client_id=self.oauth_client_id,
            client_secret=self.oauth_client_secret,
            audience=self.oauth_audience,
            scope=self.oauth_scope,
            resource=self.oauth_resource,
        )

    @property
    def context(self) -> tuple[tuple[str, str], ...]:
        """Headers that say whose events these are."""
        named = {
            # The literal text is what upstream's environment holds when there is no organisation.
            "X-Org-Id": None if self.org_id == "null" else self.org_id,
            "X-Cluster-Id": self.cluster_id,
            "X-Physical-Tenant-Id": self.physical_tenant_id,
        }
        return tuple((name, value) for name, value in named.items() if value)

    @property
    def later(self) -> frozenset[int]:
        """Statuses of 4xx that ask to come again."""
        if self.retry_statuses == ("none",):
            return frozenset()
        return frozenset(int(status) for status in self.retry_statuses)


def _check_one_of(settings: BackendSettings) -> Iterator[Fault]:
    if settings.api_key and settings.api_key.get_secret_value().strip() and _oauth_names(settings):
        yield Fault(
            f"{PREFIX}API_KEY",
            f"is set together with {', '.join(_oauth_names(settings))}; only one of API key and "
            "OAuth can be used",
            "remove one of the two",
        )


def _check_oauth(settings: BackendSettings) -> Iterator[Fault]:
    if not _oauth_names(settings):
        return
    for field in ("oauth_client_id", "oauth_client_secret", "oauth_token_url"):
        if not getattr(settings, field):
            yield Fault(settings.name_of(field), "is missing for OAuth", "set it")


def _oauth_names(settings: BackendSettings) -> list[str]:
    """Variables of OAuth that are set; time-outs alone mean nothing."""
    fields = (
        "oauth_client_id",
        "oauth_client_secret",
        "oauth_token_url",
        "oauth_audience",
        "oauth_scope",
        "oauth_resource",
    )
    return [settings.name_of(field) for field in fields if getattr(settings, field)]


def _check_timeouts(settings: BackendSettings) -> Iterator[Fault]:
    if (
        settings.try_timeout_ms is not None
        and settings.try_timeout_ms > settings.request_timeout_ms
    ):
        yield Fault(
            f"{PREFIX}TRY_TIMEOUT_MS",
            f"is longer than {PREFIX}REQUEST_TIMEOUT_MS, which covers all tries",
            "lower it, or raise the other",
        )


def _check_statuses(settings: BackendSettings) -> Iterator[Fault]:
    if settings.retry_statuses == ("none",):
        return
    if not all(_CLIENT_ERROR.fullmatch(text) for text in settings.retry_statuses):
        yield Fault(
            f"{PREFIX}RETRY_STATUSES",
            "holds something that is no status from 400 to 499",
            "set it to statuses such as 408,425,429, or to none",
        )


def _check_headers(settings: BackendSettings) -> Iterator[Fault]:
    for field in _HEADERS:
        yield from no_header(settings.name_of(field), getattr(settings, field))


BackendSettings.rules = (
    Rule(
        (
            "api_key",
            "oauth_client_id",
            "oauth_client_secret",
            "oauth_token_url",
            "oauth_audience",
            "oauth_scope",
            "oauth_resource",
        ),
        _check_one_of,
    ),
    Rule(("oauth_client_id", "oauth_client_secret", "oauth_token_url"), _check_oauth),
    Rule(("try_timeout_ms", "request_timeout_ms"), _check_timeouts),
    Rule(("retry_statuses",), _check_statuses),
    Rule(_HEADERS, _check_headers),
)
