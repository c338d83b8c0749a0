from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from connector.authentication import Authentication, OAuth, read_authentication
from connector.cluster import Api, Cluster, SaaS, SelfManaged, read_cluster
from connector.errors import Faults, InputError
from connector.operations import DELETE
from connector.query import Query, read_query

FETCHED = ("cluster", "authentication", "request", "timeoutSeconds")
"""The variables that a job must bring; the gateway sends no others."""

DEFAULT_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator of this connector allows, whatever a task asks for.

    `allowed_hosts` may hold `*` as a wildcard; empty allows any host. `api` is for tasks that
    leave the choice open.
    """

    allowed_hosts: tuple[str, ...] = ()
    allow_delete: bool = False
    api: Api = "auto"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What one task asks for, complete and consistent. `timeout_s` covers the whole job."""

    cluster: Cluster
    authentication: Authentication
    query: Query
    timeout_s: float = DEFAULT_TIMEOUT_S


def read_inputs(variables: Mapping[str, object], policy: Policy) -> Inputs:
    """Read a job's variables, secrets already filled in.

    Raises:
        InputError: with every fault of the job, path and reason each, never a value.
    """
    faults = {name: Faults(name) for name in FETCHED}
    cluster = read_cluster(variables.get("cluster"), faults["cluster"])
    authentication = read_authentication(
        variables.get("authentication"),
        faults["authentication"],
    )
    query = read_query(variables.get("request"), faults["request"])
    timeout_s = _read_timeout_s(variables.get("timeoutSeconds"), faults["timeoutSeconds"])
    if cluster is not None:
        _check_cluster(cluster, policy, faults["cluster"])
    if cluster is not None and authentication is not None:
        _check_together(cluster, authentication, faults)
    if query is not None and query.operation is DELETE and not policy.allow_delete:
        remedy = "an operator can allow it with CONNECTOR_ALLOW_DELETE=true"
        faults["request"].add("operation", f"delete is switched off here; {remedy}")
    found = [fault for name in FETCHED for fault in faults[name].found]
    if found or cluster is None or authentication is None or query is None:
        raise InputError(found)
    return Inputs(cluster, authentication, query, timeout_s)


def _read_timeout_s(value: object, faults: Faults) -> float:
    if value is None or (isinstance(value, str) and not value.strip()):
        return DEFAULT_TIMEOUT_S
    try:
        seconds = float(value) if isinstance(value, int | float | str) else math.nan
    except ValueError:
        seconds = math.nan
    if isinstance(value, bool) or not 0 < seconds < math.inf:
        faults.add("", "is not a number of seconds above 0")
    return seconds


def _check_cluster(cluster: Cluster, policy: Policy, faults: Faults) -> None:
    check_hosts(_addresses(cluster), policy, faults)
    if "v2" in {cluster.api, policy.api if cluster.api == "auto" else cluster.api}:
        faults.add("api", "v2 is not available in this version; choose v1 or auto")


def check_hosts(urls: Iterable[tuple[str, str]], policy: Policy, faults: Faults) -> None:
    """Note each input, by its name, whose URL leads to a host that the operator does not allow."""
    if not policy.allowed_hosts:
        return
    for name, url in urls:
        if not _is_allowed(urlsplit(url).hostname or "", policy.allowed_hosts):
            remedy = "an operator can add it to CONNECTOR_ALLOWED_HOSTS"
            faults.add(name, f"names a host that this connector may not call; {remedy}")


def _addresses(cluster: Cluster) -> list[tuple[str, str]]:
    match cluster:
        case SaaS():
            return [("region", cluster.base_url), ("tokenUrl", cluster.token_url)]
        case SelfManaged():
            token_url = [("tokenUrl", cluster.token_url)] if cluster.token_url else []
            return [("operateUrl", cluster.base_url), *token_url]


def _is_allowed(host: str, allowed: tuple[str, ...]) -> bool:
    return any(fnmatchcase(host.lower(), pattern.lower()) for pattern in allowed)


def _check_together(
    cluster: Cluster,
    authentication: Authentication,
    faults: Mapping[str, Faults],
) -> None:
    is_oauth = isinstance(authentication, OAuth)
    if isinstance(cluster, SaaS) and not is_oauth:
        faults["authentication"].add("type", "must be oauth for saas: it knows no other way")
    if isinstance(cluster, SelfManaged) and is_oauth and cluster.token_url is None:
        faults["cluster"].add("tokenUrl", "is missing: oauth needs it")
