"""Deploying BPMN files and forms: checked whole, then given versions and keys."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from devstack.bpmn import ModelRefusedError, model, read_bpmn
from devstack.engine.definitions import Definition, Definitions, Form
from devstack.engine.keys import KeyGenerator
from devstack.engine.writer import RecordWriter
from devstack.errors import InvalidArgumentError

_INTENT = "CREATE"
_FORM_SUFFIX = ".form"
_BPMN_SUFFIXES = (".bpmn", ".xml")


@dataclass(frozen=True, slots=True)
class Resource:
    """A file to deploy; its name tells its kind: `.bpmn`, `.xml` or `.form`."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a deployment made, or found already there, in the order of its files."""

    key: int
    tenant_id: str
    processes: tuple[Definition, ...]
    forms: tuple[Form, ...]
    created: tuple[Definition, ...]
    """Those of `processes` that are new."""


@dataclass(frozen=True, slots=True)
class _Parsed:
    resource: Resource
    checksum: str
    processes: tuple[model.Process, ...] = ()
    form: Mapping[str, Any] | None = None


class Deployments:
    """Turns files into definitions; a file that is deployed already unchanged makes no version.

    Args:
        definitions: Takes in what is deployed.
        keys: Of the deployment partition.
        writers: One for each partition, the deployment partition first: every partition
            records the definitions, under the same keys.
    """

    def __init__(
        self,
        definitions: Definitions,
        keys: KeyGenerator,
        writers: Sequence[RecordWriter],
    ) -> None:
        self._definitions = definitions
        self._keys = keys
        self._writers = writers

    def deploy(self, resources: Sequence[Resource], tenant_id: str) -> Deployment:
        """Deploy all of `resources` or none.

        Raises:
            InvalidArgumentError: A file cannot be run; the reason lists each file's faults.
        """
        command = _value(resources, -1, tenant_id, (), ())
        self._writers[0].command("DEPLOYMENT", _INTENT, -1, command)
        try:
            parsed = _parse_all(resources)
        except InvalidArgumentError as error:
            self._writers[0].rejection("DEPLOYMENT", -1, command, error)
            raise
        return self._create(resources, parsed, tenant_id)

    def _create(
        self,
        resources: Sequence[Resource],
        parsed: Sequence[_Parsed],
        tenant_id: str,
    ) -> Deployment:
        key = self._keys.next()
        processes: list[Definition] = []
        created: list[Definition] = []
        forms: list[Form] = []
        new_forms: set[int] = set()
        for each in parsed:
            for process in each.processes:
                known = self._known(process, each, tenant_id)
                definition = known or self._define(process, each, key, tenant_id)
                processes.append(definition)
                if known is None:
                    self._definitions.add(definition)
                    created.append(definition)
            if each.form is not None:
                form, is_new = self._form(each.form, each, key, tenant_id)
                forms.append(form)
                if is_new:
                    new_forms.add(form.key)
        deployment = Deployment(key, tenant_id, tuple(processes), tuple(forms), tuple(created))
        self._record(resources, deployment, new_forms)
        return deployment

    def _known(self, process: model.Process, parsed: _Parsed, tenant_id: str) -> Definition | None:
        """The newest version, when it came out of the same bytes under the same name."""
        newest = next(self._definitions.versions(tenant_id, process.id), None)
        same = (
            newest is not None
            and newest.checksum == parsed.checksum
            and newest.resource_name == parsed.resource.name
        )
        return newest if same else None

    def _define(
        self,
        process: model.Process,
        parsed: _Parsed,
        deployment_key: int,
        tenant_id: str,
    ) -> Definition:
        newest = next(self._definitions.versions(tenant_id, process.id), None)
        return Definition(
            key=self._keys.next(),
            process=process,
            version=newest.version + 1 if newest is not None else 1,
            tenant_id=tenant_id,
            deployment_key=deployment_key,
            resource_name=parsed.resource.name,
            checksum=parsed.checksum,
        )

    def _form(
        self,
        content: Mapping[str, Any],
        parsed: _Parsed,
        deployment_key: int,
        tenant_id: str,
    ) -> tuple[Form, bool]:
        form_id = content["id"]
        newest = next(self._definitions.forms(tenant_id, form_id), None)
        if newest is not None and newest.checksum == parsed.checksum:
            return newest, False
        form = Form(
            key=self._keys.next(),
            form_id=form_id,
            version=newest.version + 1 if newest is not None else 1,
            version_tag=str(content.get("versionTag") or ""),
            tenant_id=tenant_id,
            deployment_key=deployment_key,
            resource_name=parsed.resource.name,
            checksum=parsed.checksum,
        )
        self._definitions.add_form(form)
        return form, True

    def _record(
        self,
        resources: Sequence[Resource],
        deployment: Deployment,
        new_forms: set[int],
    ) -> None:
        """Record on every partition what is new; other partitions than the first learn of it."""
        contents = {each.name: b64encode(each.content).decode() for each in resources}
        new = {definition.key for definition in deployment.created}
        metadata = [_process(each, duplicate=each.key not in new) for each in deployment.processes]
        forms = [_form(each, duplicate=each.key not in new_forms) for each in deployment.forms]
        value = _value(resources, deployment.key, deployment.tenant_id, metadata, forms)
        for writer in self._writers:
            if writer is not self._writers[0]:
                # The first partition hands the deployment on to the others.
                writer.command("DEPLOYMENT", _INTENT, deployment.key, value)
            for each in metadata:
                if not each["duplicate"]:
                    process = {**each, "resource": contents[each["resourceName"]]}
                    writer.event("PROCESS", "CREATED", each["processDefinitionKey"], process)
            for each in forms:
                if not each["duplicate"]:
                    form = {**each, "resource": contents[each["resourceName"]]}
                    writer.event("FORM", "CREATED", each["formKey"], form)
            writer.event("DEPLOYMENT", "CREATED", deployment.key, value)


def _parse_all(resources: Sequence[Resource]) -> list[_Parsed]:
    if not resources:
        reason = "Expected to deploy at least one resource, but none given"
        raise InvalidArgumentError(_INTENT, reason)
    faults: list[str] = []
    parsed = list(_parse_each(resources, faults))
    faults.extend(_repeated(parsed))
    if faults:
        listed = "\n".join(faults)
        reason = (
            f"Expected to deploy new resources, but encountered the following errors:\n{listed}"
        )
        raise InvalidArgumentError(_INTENT, reason)
    return parsed


def _parse_each(resources: Sequence[Resource], faults: list[str]) -> Iterator[_Parsed]:
    for resource in resources:
        checksum = b64encode(hashlib.md5(resource.content).digest()).decode()  # noqa: S324 - no secret
        if resource.name.endswith(_FORM_SUFFIX):
            form = _read_form(resource, faults)
            if form is not None:
                yield _Parsed(resource, checksum, form=form)
        elif resource.name.endswith(_BPMN_SUFFIXES):
            try:
                yield _Parsed(resource, checksum, read_bpmn(resource.content))
            except ModelRefusedError as error:
                faults.append(f"'{resource.name}': {error}")
        else:
            faults.append(
                f"'{resource.name}': unknown kind of resource; BPMN files end in .bpmn, forms in "
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


def _repeated(parsed: Sequence[_Parsed]) -> Iterator[str]:
    """Process ids that more than one file of the deployment has."""
    seen: dict[str, str] = {}
    for each in parsed:
        for process in each.processes:
            first = seen.setdefault(process.id, each.resource.name)
            if first != each.resource.name:
                yield f"'{each.resource.name}': the process '{process.id}' is in '{first}' as well"


def _process(definition: Definition, *, duplicate: bool) -> dict[str, Any]:
    return {
        "bpmnProcessId": definition.process_id,
        "version": definition.version,
        "versionTag": definition.process.version_tag,
        "processDefinitionKey": definition.key,
        "resourceName": definition.resource_name,
        "checksum": definition.checksum,
        "duplicate": duplicate,
        "tenantId": definition.tenant_id,
        "deploymentKey": definition.deployment_key,
    }


def _form(form: Form, *, duplicate: bool) -> dict[str, Any]:
    return {
        "formId": form.form_id,
        "version": form.version,
        "versionTag": form.version_tag,
        "formKey": form.key,
        "resourceName": form.resource_name,
        "checksum": form.checksum,
        "duplicate": duplicate,
        "tenantId": form.tenant_id,
        "deploymentKey": form.deployment_key,
    }


def _value(
    resources: Sequence[Resource],
    key: int,
    tenant_id: str,
    processes: Sequence[Mapping[str, Any]],
    forms: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    return {
        "resources": [
            {"resource": b64encode(each.content).decode(), "resourceName": each.name}
            for each in resources
        ],
        "processesMetadata": list(processes),
        "decisionRequirementsMetadata": [],
        "decisionsMetadata": [],
        "formMetadata": list(forms),
        "resourceMetadata": [],
        "tenantId": tenant_id,
        "deploymentKey": key,
    }
