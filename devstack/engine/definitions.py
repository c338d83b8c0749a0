from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from devstack.bpmn import model


@dataclass(frozen=True, slots=True)
class Definition:
    """A deployed version of a process."""

    key: int
    process: model.Process
    version: int
    tenant_id: str
    deployment_key: int
    resource_name: str
    checksum: str

    @property
    def process_id(self) -> str:
        """The BPMN process id."""
        return self.process.id


@dataclass(frozen=True, slots=True)
class Form:
    """A deployed version of a form."""

    key: int
    form_id: str
    version: int
    version_tag: str
    tenant_id: str
    deployment_key: int
    resource_name: str
    checksum: str


class Definitions:
    """All deployed processes and forms of the cluster, by key, and by id in version order."""

    def __init__(self) -> None:
        self._processes: dict[int, Definition] = {}
        self._versions: dict[tuple[str, str], list[Definition]] = {}
        self._forms: dict[tuple[str, str], list[Form]] = {}

    def add(self, definition: Definition) -> None:
        """Take in a new version of a process."""
        self._processes[definition.key] = definition
        versions = self._versions.setdefault((definition.tenant_id, definition.process_id), [])
        versions.append(definition)

    def add_form(self, form: Form) -> None:
        """Take in a new version of a form."""
        self._forms.setdefault((form.tenant_id, form.form_id), []).append(form)

    def by_key(self, key: int) -> Definition | None:
        """The definition with this key."""
        return self._processes.get(key)

    def versions(self, tenant_id: str, process_id: str) -> Iterator[Definition]:
        """All versions of a process, newest first."""
        return reversed(self._versions.get((tenant_id, process_id), []))

    def forms(self, tenant_id: str, form_id: str) -> Iterator[Form]:
        """All versions of a form, newest first."""
        return reversed(self._forms.get((tenant_id, form_id), []))
