"""Where Zeebe's gateway is and how to be let in: settings shared by every job worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from runtime.http import CaFile
from runtime.oauth import ClientCredentials
from runtime.settings import Fault, Rule, Settings, Variable
from worker.address import ADDRESS_REMEDY, AddressInvalidError, parse_address

_SAAS_TOKEN_URL = "https://login.cloud.camunda.io/oauth/token"  # noqa: S105  # an address
_SAAS_AUDIENCE = "zeebe.camunda.io"
_SELF_MANAGED_AUDIENCE = "zeebe-api"
_DEFAULT_ADDRESS = "http://localhost:26500"


def _check_credentials(settings: Connection) -> Iterator[Fault]:
    is_saas = settings.cluster_id is not None
    needed = {
        "oidc": ["client_id", "client_secret", *([] if is_saas else ["token_url"])],
        "basic": ["username", "password"],
        "none": [],
    }[settings.method]
    for field in needed:
        if getattr(settings, field) is None:
            name = settings.name_of(field)
            yield Fault(name, f"is missing for the method {settings.method}", f"set {name}")


def _check_address(settings: Connection) -> Iterator[Fault]:
    try:
        parse_address(settings.address)
    except AddressInvalidError as error:
        yield Fault(settings.name_of("grpc_address"), error.reason, ADDRESS_REMEDY)


def _check_token_url(settings: Connection) -> Iterator[Fault]:
    try:
        parts = urlsplit(settings.token_url or _SAAS_TOKEN_URL)
        is_usable = parts.scheme in {"http", "https"} and parts.hostname is not None
    except ValueError:
        is_usable = False
    if not is_usable:
        name = settings.name_of("token_url")
        yield Fault(name, "is no http(s) URL", "write the token endpoint's whole address")


def _check_cloud(settings: Connection) -> Iterator[Fault]:
    if settings.cluster_id is not None and settings.region is None:
        name = settings.name_of("region")
        yield Fault(name, "is missing for a cloud cluster", "set it, for example to bru-2")


class Connection(Settings):
    """The gateway's address and the credentials for it.

    Camunda's own names come first, those of older runtimes and of other clients after them.
    """

    watched_prefixes: ClassVar[tuple[str, ...]] = ("CAMUNDA_CLIENT_", "ZEEBE_")
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            (
                "auth_method",
                "client_id",
                "client_secret",
                "token_url",
                "username",
                "password",
                "cluster_id",
            ),
            _check_credentials,
        ),
        Rule(("cluster_id", "region"), _check_cloud),
        Rule(("grpc_address", "plaintext"), _check_address),
        Rule(("token_url",), _check_token_url),
    )

    grpc_address: Annotated[
        str | None,
        Variable(
            "CAMUNDA_CLIENT_GRPC_ADDRESS",
            "CAMUNDA_CLIENT_GRPCADDRESS",
            "CAMUNDA_CLIENT_ZEEBE_GRPC_ADDRESS",
            "CAMUNDA_CLIENT_ZEEBE_GRPCADDRESS",
            "ZEEBE_CLIENT_BROKER_GATEWAY-ADDRESS",
            "ZEEBE_ADDRESS",
            meaning=f"Address of Zeebe's gateway; `https://` means TLS. Without it, the cloud "
            f"cluster's when one is named, else `{_DEFAULT_ADDRESS}`.",
        ),
    ] = None
    plaintext: Annotated[
        bool | None,
        Variable(
            "ZEEBE_CLIENT_SECURITY_PLAINTEXT",
            meaning="For an address without `http://` or `https://`: `false` means TLS.",
        ),
    ] = None
    ca_file: Annotated[
        CaFile | None,
        Variable(
            "CAMUNDA_CLIENT_CA_CERTIFICATE_PATH",
            "CAMUNDA_CA_CERTIFICATE_PATH",
            "ZEEBE_CA_CERTIFICATE_PATH",
            meaning="Authorities (PEM) trusted for the gateway and for HTTP.",
        ),
    ] = None
    auth_method: Annotated[
        Literal["none", "basic", "oidc"] | None,
        Variable(
            "CAMUNDA_CLIENT_AUTH_METHOD",
            meaning="How the gateway is told who calls. Without it: `oidc` when there is a client "
            "id, `basic` when there is a user name, else `none`.",
        ),
    ] = None
    client_id: Annotated[
        str | None,
        Variable(
            "CAMUNDA_CLIENT_AUTH_CLIENT_ID",
            "CAMUNDA_CLIENT_AUTH_CLIENTID",
            "CAMUNDA_CLIENT_ID",
            "ZEEBE_CLIENT_CLOUD_CLIENT-ID",
            "ZEEBE_CLIENT_ID",
            meaning="Client id for `oidc`.",
        ),
    ] = None
    client_secret: Annotated[
        SecretStr | None,
        Variable(
            "CAMUNDA_CLIENT_AUTH_CLIENT_SECRET",
            "CAMUNDA_CLIENT_AUTH_CLIENTSECRET",
            "CAMUNDA_CLIENT_SECRET",
            "ZEEBE_CLIENT_CLOUD_CLIENT-SECRET",
            "ZEEBE_CLIENT_SECRET",
            meaning="Client secret for `oidc`.",
        ),
    ] = None
    token_url: Annotated[
        str | None,
        Variable(
            "CAMUNDA_CLIENT_AUTH_TOKEN_URL",
            "CAMUNDA_CLIENT_AUTH_TOKENURL",
            "CAMUNDA_CLIENT_AUTH_ISSUER",
            "CAMUNDA_OAUTH_URL",
            "ZEEBE_AUTHORIZATION_SERVER_URL",
            meaning=f"Token endpoint for `oidc`; for a cloud cluster `{_SAAS_TOKEN_URL}`.",
        ),
    ] = None
    audience: Annotated[
        str | None,
        Variable(
            "CAMUNDA_CLIENT_AUTH_AUDIENCE",
            "CAMUNDA_CLIENT_ZEEBE_AUDIENCE",
            "CAMUNDA_TOKEN_AUDIENCE",
            "ZEEBE_TOKEN_AUDIENCE",
            meaning=f"Audience of the gateway's token; `{_SAAS_AUDIENCE}` for a cloud cluster, "
            f"else `{_SELF_MANAGED_AUDIENCE}`.",
        ),
    ] = None
    scope: Annotated[
        str | None,
        Variable(
            "CAMUNDA_CLIENT_AUTH_SCOPE",
            "ZEEBE_TOKEN_SCOPE",
            meaning="Scopes of the gateway's token, separated by blanks.",
        ),
    ] = None
    username: Annotated[
        str | None,
        Variable("CAMUNDA_CLIENT_AUTH_USERNAME", meaning="User name for `basic`."),
    ] = None
    password: Annotated[
        SecretStr | None,
        Variable("CAMUNDA_CLIENT_AUTH_PASSWORD", meaning="Password for `basic`."),
    ] = None
    cluster_id: Annotated[
        str | None,
        Variable(
            "CAMUNDA_CLIENT_CLOUD_CLUSTER_ID",
            "CAMUNDA_CLIENT_CLOUD_CLUSTERID",
            "CAMUNDA_CLUSTER_ID",
            "ZEEBE_CLIENT_CLOUD_CLUSTER-ID",
            meaning="Id of a cluster in Camunda's cloud.",
        ),
    ] = None
    region: Annotated[
        str | None,
        Variable(
            "CAMUNDA_CLIENT_CLOUD_REGION",
            "CAMUNDA_CLUSTER_REGION",
            "ZEEBE_CLIENT_CLOUD_REGION",
            meaning="Region of that cluster, such as `bru-2`.",
        ),
    ] = None

    @property
    def address(self) -> str:
        """The gateway's address, scheme included unless the user gave none."""
        if self.grpc_address is not None:
            bare = "://" not in self.grpc_address
            is_tls = bare and self.plaintext is False
            return f"https://{self.grpc_address}" if is_tls else self.grpc_address
        if self.cluster_id is not None:
            return f"https://{self.cluster_id}.{self.region}.zeebe.camunda.io:443"
        return _DEFAULT_ADDRESS

    @property
    def method(self) -> Literal["none", "basic", "oidc"]:
        """The way of authentication: as set, or as the credentials that are there suggest."""
        if self.auth_method is not None:
            return self.auth_method
        if self.client_id is not None:
            return "oidc"
        return "none" if self.username is None else "basic"

    @property
    def credentials(self) -> ClientCredentials | None:
        """What the gateway's token is asked for with; None unless the method is `oidc`."""
        if self.method != "oidc" or self.client_id is None or self.client_secret is None:
            return None
        is_saas = self.cluster_id is not None
        return ClientCredentials(
            token_url=self.token_url or _SAAS_TOKEN_URL,
            client_id=self.client_id,
            client_secret=self.client_secret,
            audience=self.audience or (_SAAS_AUDIENCE if is_saas else _SELF_MANAGED_AUDIENCE),
            scope=self.scope,
        )
