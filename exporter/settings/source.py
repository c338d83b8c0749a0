from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Annotated

from pydantic import Field, SecretStr
from yarl import URL

from exporter.event import INTENTS, Selection
from exporter.pipeline import Share
from exporter.settings.names import HttpUrl, SourceUrl, no_header, only_ours
from exporter.sources import Credentials, unknown_scheme
from runtime.http import CaFile
from runtime.oauth import ClientCredentials
from runtime.settings import ByteSize, CommaList, Fault, Rule, Settings

_DIVIDED = ("elasticsearch", "opensearch", "file")
"""Sources whose partitions replicas divide by ordinal; the others have ways of their own."""


class SourceSettings(Settings):
    """Where records come from and which of them are told of."""

    source: Annotated[
        SourceUrl,
        only_ours(
            "SOURCE",
            "Where records come from, as a URL: `file:///path/*.jsonl`, `http://0.0.0.0:9700`, "
            "`elasticsearch+http://…`, `opensearch+https://…`, `listener+http://…?type=JOB_TYPE`, "
            "`redis://…`, `kafka://host:9092/topic`.",
        ),
    ]
    source_username: Annotated[
        str | None, only_ours("SOURCE_USERNAME", "User name at the source.")
    ] = None
    source_password: Annotated[
        SecretStr | None, only_ours("SOURCE_PASSWORD", "Password at the source.")
    ] = None
    source_api_key: Annotated[
        SecretStr | None,
        only_ours("SOURCE_API_KEY", "API key at the source; for `http`, what senders must show."),
    ] = None
    source_oauth_client_id: Annotated[
        str | None, only_ours("SOURCE_OAUTH_CLIENT_ID", "Client id for tokens to the source.")
    ] = None
    source_oauth_client_secret: Annotated[
        SecretStr | None, only_ours("SOURCE_OAUTH_CLIENT_SECRET", "Its secret.")
    ] = None
    source_oauth_token_url: Annotated[
        HttpUrl | None, only_ours("SOURCE_OAUTH_TOKEN_URL", "Token endpoint for the source.")
    ] = None
    source_oauth_audience: Annotated[
        str | None, only_ours("SOURCE_OAUTH_AUDIENCE", "Audience of the source's token.")
    ] = None
    source_oauth_scope: Annotated[
        str | None, only_ours("SOURCE_OAUTH_SCOPE", "Scopes of it, separated by blanks.")
    ] = None
    source_ca_file: Annotated[
        CaFile | None, only_ours("SOURCE_CA_FILE", "Authorities (PEM) trusted for the source.")
    ] = None
    events: Annotated[
        CommaList,
        only_ours("EVENTS", f"What is told of: {', '.join(INTENTS)}."),
    ] = ("USER_TASK",)
    event_metadata: Annotated[
        bool,
        only_ours("EVENT_METADATA", "Adds `position`, `partitionId`, `timestamp` to each event."),
    ] = False
    max_record_bytes: Annotated[
        ByteSize,
        Field(ge=1024),
        only_ours("MAX_RECORD_BYTES", "Longest record that is read; a longer one is set aside."),
    ] = 32 * 1024 * 1024
    replicas: Annotated[
        int,
        Field(ge=1, le=8191),
        only_ours("REPLICAS", "Processes that divide the partitions by ordinal."),
    ] = 1
    ordinal: Annotated[
        int | None,
        Field(ge=0),
        only_ours(
            "ORDINAL",
            "Which of them this is, from 0; without it, the number at the host name's end.",
        ),
    ] = None

    @property
    def source_url(self) -> URL:
        """The source's URL; may hold credentials."""
        return URL(self.source)

    @property
    def source_name(self) -> str:
        """The source without credentials, for logs and as the owner of bookmarks."""
        url = self.source_url
        return str(url.with_user(None)) if url.host else str(url)

    @property
    def selection(self) -> Selection:
        """What is told of."""
        return Selection(tuple(event.upper() for event in self.events), self.event_metadata)

    @property
    def share(self) -> Share:
        """Which partitions are ours."""
        return Share(self.replicas, _ordinal(self) or 0)

    @property
    def source_credentials(self) -> Credentials:
        """How the source lets us in."""
        oauth = None
        if (
            self.source_oauth_client_id
            and self.source_oauth_client_secret
            and self.source_oauth_token_url
        ):
            oauth = ClientCredentials(
                token_url=self.source_oauth_token_url,
                client_id=self.source_oauth_client_id,
                client_secret=self.source_oauth_client_secret,
                audience=self.source_oauth_audience,
                scope=self.source_oauth_scope,
            )
        return Credentials(
            self.source_username,
            self.source_password,
            self.source_api_key,
            oauth,
            self.source_ca_file,
        )


def _check_source(settings: SourceSettings) -> Iterator[Fault]:
    remedy = unknown_scheme(settings.source_url.scheme)
    if remedy is not None:
        yield Fault("APP_INTEGRATIONS_SOURCE", "has a scheme that no source serves", remedy)


def _check_http_key(settings: SourceSettings) -> Iterator[Fault]:
    if settings.source_url.scheme == "http" and not (
        settings.source_api_key or _is_loopback(settings.source_url.host or "")
    ):
        yield Fault(
            "APP_INTEGRATIONS_SOURCE_API_KEY",
            "is not set, so that anybody could send records",
            "set it, or listen at 127.0.0.1 only",
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _check_one_credential(settings: SourceSettings) -> Iterator[Fault]:
    kinds = {
        "APP_INTEGRATIONS_SOURCE_API_KEY": settings.source_api_key,
        "APP_INTEGRATIONS_SOURCE_USERNAME": settings.source_username,
        "APP_INTEGRATIONS_SOURCE_OAUTH_CLIENT_ID": settings.source_oauth_client_id,
    }
    given = [name for name, value in kinds.items() if value]
    if len(given) > 1:
        yield Fault(given[0], f"is set together with {given[1]}", "only one of them can be used")


def _check_key(settings: SourceSettings) -> Iterator[Fault]:
    yield from no_header(settings.name_of("source_api_key"), settings.source_api_key)


def _check_oauth(settings: SourceSettings) -> Iterator[Fault]:
    fields = ("source_oauth_client_id", "source_oauth_client_secret", "source_oauth_token_url")
    given = [bool(getattr(settings, field)) for field in fields]
    for field, is_given in zip(fields, given, strict=True):
        if any(given) and not is_given:
            yield Fault(settings.name_of(field), "is missing for OAuth", "set it")


def _check_events(settings: SourceSettings) -> Iterator[Fault]:
    for event in settings.events:
        if event.upper() not in INTENTS:
            nearest = get_close_matches(event.upper(), INTENTS, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else f"use {', '.join(INTENTS)}"
            yield Fault("APP_INTEGRATIONS_EVENTS", "names a kind that there is not", hint)
    if not settings.events:
        yield Fault("APP_INTEGRATIONS_EVENTS", "names nothing", f"use {', '.join(INTENTS)}")


def _check_listener(settings: SourceSettings) -> Iterator[Fault]:
    if settings.source_url.scheme.startswith("listener+") and settings.selection.kinds != (
        "USER_TASK",
    ):
        yield Fault(
            "APP_INTEGRATIONS_EVENTS",
            "names more than user tasks, and task listeners tell of nothing else",
            "set it to USER_TASK, or take another source",
        )


def _check_share(settings: SourceSettings) -> Iterator[Fault]:
    if settings.replicas == 1 and not settings.ordinal:
        return
    if settings.source_url.scheme.partition("+")[0] not in _DIVIDED:
        yield Fault(
            "APP_INTEGRATIONS_REPLICAS",
            "divides partitions by ordinal, which this source does by itself or not at all",
            "remove APP_INTEGRATIONS_REPLICAS and APP_INTEGRATIONS_ORDINAL",
        )
    ordinal = _ordinal(settings)
    if ordinal is None:
        yield Fault(
            "APP_INTEGRATIONS_ORDINAL",
            "is not set, and the host name ends in no number",
            f"set it from 0 to {settings.replicas - 1}, or run as a StatefulSet",
        )
    elif ordinal >= settings.replicas:
        yield Fault(
            "APP_INTEGRATIONS_ORDINAL",
            f"is beyond the {settings.replicas} of APP_INTEGRATIONS_REPLICAS",
            f"set it from 0 to {settings.replicas - 1}",
        )


def _ordinal(settings: SourceSettings) -> int | None:
    if settings.ordinal is not None or settings.replicas == 1:
        return settings.ordinal or 0
    number = re.search(r"-(\d+)$", socket.gethostname())
    return int(number[1]) if number else None


SourceSettings.rules = (
    Rule(("source",), _check_source),
    Rule(("source", "source_api_key"), _check_http_key),
    Rule(("source_api_key",), _check_key),
    Rule(("source_api_key", "source_username", "source_oauth_client_id"), _check_one_credential),
    Rule(
        ("source_oauth_client_id", "source_oauth_client_secret", "source_oauth_token_url"),
        _check_oauth,
    ),
    Rule(("events",), _check_events),
    Rule(("source", "events"), _check_listener),
    Rule(("source", "replicas", "ordinal"), _check_share),
)
