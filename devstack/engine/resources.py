"""The files of a deployment: read whole before any of them counts."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from devstack.bpmn import ModelRefusedError, model, read_bpmn
from devstack.errors import InvalidArgumentError

_FORM_SUFFIX = ".form"
_BPMN_SUFFIXES = (".bpmn", ".xml")


@dataclass(frozen=True, slots=True)
class Resource:
    """A file to deploy; its name tells its kind: `.bpmn`, `.xml` or `.form`."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file that can be deployed: what is in it, and a checksum to know it again."""

    resource: Resource
    checksum: str
    processes: tuple[model.Process, ...] = ()
    form: Mapping[str, Any] | None = None


def parse_all(resources: Sequence[Resource]) -> list[Parsed]:
    """Read every file.

    Raises:
        InvalidArgumentError: A file cannot be run; the reason lists each file's faults.
    """
    if not resources:
        reason = "Expected to deploy at least one resource, but none given"
        raise InvalidArgumentError("CREATE", reason)
    faults: list[str] = []
    parsed = list(_parse_each(resources, faults))
    faults.extend(_repeated(parsed))
    if faults:
        listed = "\n".join(faults)
        reason = (
            f"Expected to deploy new resources, but encountered the following errors:\n{listed}"
        )
        raise InvalidArgumentError("CREATE", reason)
    return parsed


def _parse_each(resources: Sequence[Resource], faults: list[str]) -> Iterator[Parsed]:
    for resource in resources:
        checksum = b64encode(hashlib.md5(resource.content).digest()).decode()  # noqa: S324 - no secret
        if resource.name.endswith(_FORM_SUFFIX):
            form = _read_form(resource, faults)
            if form is not None:
                yield Parsed(resource, checksum, form=form)
        elif resource.name.endswith(_BPMN_SUFFIXES):
            try:
                yield Parsed(resource, checksum, read_bpmn(resource.content))
            except ModelRefusedError as error:
                faults.append(f"'{resource.name}': {error}")
        else:
            faults.append(
                f"'{resource.name}': unknown resource type; BPMN files end in .bpmn, forms in "
                ".form, and decisions (.dmn) are not supported",
            )


def _read_form(resource: Resource, faults: list[str]) -> Mapping[str, Any] | None:
    try:
        form = orjson.loads(resource.content)
    except orjson.JSONDecodeError as error:
        faults.append(f"'{resource.name}': the form is no JSON: {error}")
        return None
    if not isinstance(form, dict) or not isinstance(form.get("id"), str) or not form["id"]:
        faults.append(f"'{resource.name}': the form must be a JSON object with an 'id'")
        return None
    return form


def _repeated(parsed: Sequence[Parsed]) -> Iterator[str]:
    """Process ids that the deployment has more than once."""
    seen: dict[str, str] = {}
    for each in parsed:
        name = each.resource.name
        for process in each.processes:
            if process.id in seen:
                places = f"'{seen[process.id]}' and '{name}'"
                yield f"Duplicated process id in resources {places}: '{process.id}'"
            seen.setdefault(process.id, name)
