"""`operate-connector render`: the HTTP request that a job would make, shown and not sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from connector.errors import Fault, InputError
from connector.inputs import Policy, read_inputs
from connector.official.inputs import read_official_inputs
from connector.official.request import OfficialRequest
from connector.official.request import build as build_official
from connector.official.template import are_operate_inputs
from connector.redaction import MASK, Redaction
from connector.request import Authorization, BasicLogin, Request, SessionLogin, build
from connector.secrets import Resolved, SecretSource, resolve
from connector.upstream_secrets import resolve_text
from runtime.oauth import ClientCredentials
from worker.job import Job


def read_job_file(path: Path) -> Mapping[str, object]:
    """The variables in a job file: an object of them, or one that has them under `variables`.

    Raises:
        InputError: when the file holds no such object.
        OSError: when it cannot be read.
    """
    content = _parse(path.read_bytes(), str(path))
    variables = content.get("variables", content)
    if isinstance(variables, str):
        # Zeebe's own form has the variables as text within the job.
        return _parse(variables, "variables")
    if not isinstance(variables, dict):
        raise InputError([Fault("variables", "is not a JSON object")])
    return variables


def _parse(text: bytes | str, what: str) -> dict[str, object]:
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError([Fault(what, f"is not JSON: {error}")]) from None
    if not isinstance(content, dict):
        raise InputError([Fault(what, "is not a JSON object")])
    return content


async def render(
    variables: Mapping[str, object],
    sources: Sequence[SecretSource],
    policy: Policy,
    *,
    upstream_secrets: bool = False,
) -> str:
    """The request as HTTP text, every secret masked, for our own template or Camunda's.

    With `upstream_secrets` they are filled in as upstream does.

    Raises:
        ConnectorError: as the job itself would fail.
    """
    resolved = await (_resolved_as_upstream if upstream_secrets else resolve)(
        variables, sources, RENDERED
    )
    redaction = Redaction(resolved.secrets)
    if are_operate_inputs(variables):
        official = build_official(read_official_inputs(resolved.variables, policy))
        return redaction.text("\n".join(_official_lines(official)))
    request = build(read_inputs(resolved.variables, policy))
    return redaction.text("\n".join(_lines(request)))


async def _resolved_as_upstream(
    variables: Mapping[str, object], sources: Sequence[SecretSource], job: Job
) -> Resolved:
    filled = await resolve_text(orjson.dumps(variables).decode(), sources, job)
    return Resolved(_parse(filled.text, "what the secrets make of the job"), filled.secrets)


RENDERED = Job(0, "", 0, "", 0, 0, "", 0, "{}", "", 1, 0, "{}", "<default>")
"""The job of what is no job: providers that look at one see it empty."""


def _lines(request: Request) -> Iterator[str]:
    yield from _address_lines(request.operation.method, request.url)
    yield "Accept: application/json"
    yield from _authorization_lines(request.authorization)
    if request.body is not None:
        yield "Content-Type: application/json"
        yield from _body_lines(request.body)


def _official_lines(request: OfficialRequest) -> Iterator[str]:
    yield from _address_lines(request.method, request.url)
    yield from (f"{name}: {value}" for name, value in request.headers.items())
    yield from _authorization_lines(request.credentials)
    if request.body is not None:
        yield from _body_lines(request.body)


def _address_lines(method: str, url: str) -> Iterator[str]:
    yield f"{method} {url}"
    yield f"Host: {urlsplit(url).netloc}"


def _body_lines(body: bytes) -> Iterator[str]:
    yield ""
    yield orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()


def _authorization_lines(authorization: Authorization) -> Iterator[str]:
    match authorization:
        case ClientCredentials():
            audience = f" for {authorization.audience}" if authorization.audience else ""
            yield f"Authorization: Bearer {MASK}"
            yield f"# token from {authorization.token_url}{audience}"
        case BasicLogin():
            yield f"Authorization: Basic {MASK}"
        case SessionLogin():
            yield f"Cookie: {MASK}"
            yield f"# session from {authorization.base_url}"
        case None:
            pass
