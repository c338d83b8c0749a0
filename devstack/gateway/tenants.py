from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from devstack.engine import DEFAULT_TENANT
from devstack.errors import MalformedRequestError, PermissionRefusedError

_MAX_CHARACTERS = 31
_TENANT = re.compile(rf"<default>|[\w.-]{{1,{_MAX_CHARACTERS}}}", re.ASCII)


def parse_tenant(text: str) -> str:
    """The text, when a tenant can be called so.

    Raises:
        ValueError: it cannot.
    """
    if _TENANT.fullmatch(text) is None:
        raise ValueError(
            "a tenant is <default>, or up to 31 letters, digits, underscores, points and hyphens"
        )
    return text


@dataclass(frozen=True, slots=True)
class Tenants:
    """Which tenants a request may name; without `allowed` multi-tenancy is off."""

    allowed: frozenset[str] | None = None

    def one(self, call: str, tenant_id: str) -> str:
        """The tenant of a request.

        Raises:
            MalformedRequestError: A tenant while multi-tenancy is off, none or none that can be
                while it is on.
            PermissionRefusedError: The caller may not see it.
        """
        given = tenant_id.strip()
        if self.allowed is None:
            if given and given != DEFAULT_TENANT:
                raise _refused(call, tenant_id, "multi-tenancy is disabled")
            return DEFAULT_TENANT
        if not given:
            raise _refused(call, tenant_id, "no tenant identifier was provided.")
        if _TENANT.fullmatch(given) is None:
            problem = (
                f"is longer than {_MAX_CHARACTERS} characters"
                if len(given) > _MAX_CHARACTERS
                else "contains illegal characters"
            )
            raise _refused(call, tenant_id, f"tenant identifier {problem}")
        if given not in self.allowed:
            raise PermissionRefusedError(
                f"Expected to handle gRPC request {call} with tenant identifier '{given}', but "
                "tenant is not authorized to perform this request",
            )
        return given

    def several(self, call: str, tenant_ids: Sequence[str]) -> tuple[str, ...]:
        """The tenants of a request for jobs.

        Raises:
            MalformedRequestError: As for one; none at all while multi-tenancy is on.
            PermissionRefusedError: The caller may not see one of them.
        """
        if not tenant_ids:
            return (self.one(call, ""),)
        return tuple(_distinct(self.one(call, tenant_id) for tenant_id in tenant_ids))


def _distinct(tenant_ids: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(tenant_ids)


def _refused(call: str, tenant_id: str, problem: str) -> MalformedRequestError:
    return MalformedRequestError(
        f"Expected to handle gRPC request {call} with tenant identifier '{tenant_id}', "
        f"but {problem}",
    )
