"""Deploying BPMN files and forms: checked whole, then given versions and keys."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devstack.bpmn import model
from devstack.engine.definitions import Definition, Definitions, Form
from devstack.engine.keys import KeyGenerator
from devstack.engine.resources import Parsed, Resource, parse_all
from devstack.engine.writer import RecordWriter
from devstack.errors import InvalidArgumentError

_INTENT = "CREATE"


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a deployment made, or found already there, in the order of its files."""

    key: int
    tenant_id: str
    processes: tuple[Definition, ...]
    forms: tuple[Form, ...]
    created: tuple[Definition, ...]
    """Those of `processes` that are new."""


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
            parsed = parse_all(resources)
        except InvalidArgumentError as error:
            self._writers[0].rejection("DEPLOYMENT", -1, command, error)
            raise
        return self._create(resources, parsed, tenant_id)

    def _create(
        self,
        resources: Sequence[Resource],
        parsed: Sequence[Parsed],
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

    def _known(self, process: model.Process, parsed: Parsed, tenant_id: str) -> Definition | None:
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
        parsed: Parsed,
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
        parsed: Parsed,
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
