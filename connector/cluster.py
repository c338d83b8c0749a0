from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from connector.errors import Faults
from connector.section import Section, is_blank, names_of, nearest, read_section, refuse

SAAS_TOKEN_URL = "https://login.cloud.camunda.io/oauth/token"  # noqa: S105  # an address
SAAS_AUDIENCE = "operate.camunda.io"
SELF_MANAGED_AUDIENCE = "operate-api"

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")


def _check_label(text: str) -> str:
    # It becomes part of a host name or a path: anything else could lead to another host.
    if not _LABEL.fullmatch(text):
        raise refuse("may only have letters, digits and hyphens")
    return text


# Jobs name the same few addresses over and over.
@lru_cache(maxsize=256)
def _check_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise refuse("is not a valid URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise refuse("must be a URL that begins with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise refuse("must not hold credentials; use the authentication inputs")
    if parts.query or parts.fragment or re.search(r"[\s\x00-\x1f]", text):
        raise refuse("must be a plain address, without query, fragment or blanks")
    return text


def strip_version(text: str) -> str:
    """The documentation of other clients has the version in the base URL: take both ways."""
    return text.rstrip("/").removesuffix("/v1").rstrip("/")


Label = Annotated[str, AfterValidator(_check_label)]
Url = Annotated[str, AfterValidator(_check_url)]
Api = Literal["auto", "v1", "v2"]


class SaaS(Section):
    """A cluster in Camunda's cloud."""

    deployment: Literal["saas"]
    region: Label
    cluster_id: Label
    token_url: Url = SAAS_TOKEN_URL
    api: Api = "auto"

    @property
    def base_url(self) -> str:
        """Where the API's version segment is appended."""
        return f"https://{self.region}.operate.camunda.io/{self.cluster_id}"

    @property
    def audience(self) -> str:
        """The audience of an access token when the inputs name none."""
        return SAAS_AUDIENCE


class SelfManaged(Section):
    """A cluster that the user runs."""

    deployment: Literal["selfManaged"]
    operate_url: Annotated[Url, AfterValidator(strip_version)]
    token_url: Url | None = Field(default=None)
    api: Api = "auto"

    @property
    def base_url(self) -> str:
        """Where the API's version segment is appended."""
        return self.operate_url

    @property
    def audience(self) -> str:
        """The audience of an access token when the inputs name none."""
        return SELF_MANAGED_AUDIENCE


Cluster = SaaS | SelfManaged
_FORMS: Mapping[str, type[SaaS | SelfManaged]] = {"saas": SaaS, "selfManaged": SelfManaged}
_KNOWN = names_of(*_FORMS.values())


def read_cluster(value: object, faults: Faults) -> Cluster | None:
    """Read the `cluster` section; gives it, or None when it has faults.

    A missing `deployment` is told from what else is there: only one form has an `operateUrl`.
    """
    if not isinstance(value, Mapping):
        faults.add("", "is missing" if value is None else "is not an object")
        return None
    deployment = value.get("deployment")
    if is_blank(deployment):
        deployment = _deployment(value)
    if deployment is None:
        faults.add("deployment", f"is missing; choose one of {', '.join(_FORMS)}")
        return None
    form = _FORMS.get(str(deployment))
    if form is None:
        faults.add("deployment", f"is unknown; {nearest(str(deployment), _FORMS)}")
        return None
    return read_section(form, {**value, "deployment": deployment}, faults, _KNOWN)


def _deployment(value: Mapping[str, object]) -> str | None:
    if not is_blank(value.get("operateUrl")):
        return "selfManaged"
    if not (is_blank(value.get("region")) and is_blank(value.get("clusterId"))):
        return "saas"
    return None
