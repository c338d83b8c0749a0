from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from yarl import URL

from exporter.errors import SourceRefused
from exporter.sources.parameters import Parameters, read_parameters, some_seconds, web_base

_MOST_JOBS = 1000
EVERY_TENANT = ("*",)
"""All tenants that our user is assigned to, which the cluster itself knows from 8.9 on."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where jobs are taken from and how.

    Attributes:
        base: http(s) URL of the cluster's REST API, without `/v2`.
        job_type: Of the listeners.
        worker: Our name in the cluster.
        max_jobs: Most jobs of one poll.
        job_timeout_s: How long a job is ours; then it is given out again.
        poll_s: How long a poll waits for the first job.
        tenants: Whose jobs are taken; none leaves it to the cluster, which takes its default.
    """

    base: URL
    job_type: str
    worker: str = "app-integrations-exporter"
    max_jobs: int = 32
    job_timeout_s: float = 30.0
    poll_s: float = 20.0
    tenants: tuple[str, ...] = ()


def read_address(url: URL) -> Address:
    """What a source URL says.

    Raises:
        SourceRefused: Something in it cannot be used, or the job type is missing.
    """
    fields = read_parameters(url, _PARAMETERS)
    if "job_type" not in fields:
        raise SourceRefused(
            "the URL of the source names no job type; add ?type= and the type of your listeners"
        )
    return Address(web_base(url), **fields)  # type: ignore[arg-type] # by name


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("a name")
    return text


def _tenants(text: str) -> tuple[str, ...]:
    tenants = tuple(name.strip() for name in text.split(","))
    if not all(tenants) or ("*" in tenants and tenants != EVERY_TENANT):
        raise ValueError("ids of tenants with commas between them, or * alone")
    return tenants


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_JOBS:
        raise ValueError(f"a whole number from 1 to {_MOST_JOBS}")
    return int(text)


_PARAMETERS: Parameters = MappingProxyType(
    {
        "type": ("job_type", _text),
        "worker": ("worker", _text),
        "max-jobs": ("max_jobs", _jobs),
        "job-timeout-ms": ("job_timeout_s", some_seconds),
        "poll-ms": ("poll_s", some_seconds),
        "tenants": ("tenants", _tenants),
    }
)
