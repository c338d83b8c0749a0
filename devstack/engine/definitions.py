from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from devstack.bpmn import model
from devstack.errors import InvalidArgumentError, InvalidStateError, NotFoundError

_CREATE = "CREATE"


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
class Wanted:
    """How a command names a process: by definition key, else by id and version (-1: newest)."""

    process_id: str
    version: int
    definition_key: int
    tenant_id: str


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

    def find(self, wanted: Wanted) -> Definition:
        """The definition that a command to start an instance names.

        Raises:
            NotFoundError: There is none, or it belongs to another tenant.
            InvalidArgumentError: The command names none.
            InvalidStateError: It has no none start event.
        """
        if wanted.definition_key > 0:
            definition = self._processes.get(wanted.definition_key)
            if definition is not None and definition.tenant_id == wanted.tenant_id:
                return _startable(definition)
            raise _missing(f"key '{wanted.definition_key}'")
        if not wanted.process_id:
            reason = "Expected at least a bpmnProcessId or a key greater than -1, but none given"
            raise InvalidArgumentError(_CREATE, reason)
        for definition in self.versions(wanted.tenant_id, wanted.process_id):
            if wanted.version < 0 or definition.version == wanted.version:
                return _startable(definition)
        version = f" and version '{wanted.version}'" if wanted.version >= 0 else ""
        raise _missing(f"process ID '{wanted.process_id}'{version}")

    def versions(self, tenant_id: str, process_id: str) -> Iterator[Definition]:
        """All versions of a process, newest first."""
        return reversed(self._versions.get((tenant_id, process_id), []))

    def forms(self, tenant_id: str, form_id: str) -> Iterator[Form]:
        """All versions of a form, newest first."""
        return reversed(self._forms.get((tenant_id, form_id), []))


def _missing(named: str) -> NotFoundError:
    reason = f"Expected to find process definition with {named}, but none found"
    return NotFoundError(_CREATE, reason)


def _startable(definition: Definition) -> Definition:
    if definition.process.none_start_id is None:
        reason = (
            "Expected to create instance of process with none start event, "
            "but there is no such event"
        )
        raise InvalidStateError(_CREATE, reason)
    return definition
