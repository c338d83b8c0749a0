from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr

from connector.errors import Faults
from connector.section import Section, is_blank, names_of, nearest, read_section, refuse

_CONTROL = re.compile(r"[\x00-\x1f]")


def _check_sendable(secret: SecretStr) -> SecretStr:
    # A line break in a credential would end the header that it is sent in.
    if _CONTROL.search(secret.get_secret_value()):
        raise refuse("has a line break or control character in it")
    return secret


Credential = Annotated[SecretStr, AfterValidator(_check_sendable)]


class OAuth(Section):
    """An access token for client credentials."""

    type: Literal["oauth"]
    client_id: Credential
    client_secret: Credential
    audience: str | None = None
    scopes: str | None = None


class Basic(Section):
    """User name and password with every request (Camunda 8.8 and later)."""

    type: Literal["basic"]
    username: Credential
    password: Credential


class Session(Section):
    """A login that gives a cookie, and a CSRF token where the server wants one."""

    type: Literal["session"]
    username: Credential
    password: Credential


class Anonymous(Section):
    """No authentication."""

    type: Literal["none"]


Authentication = OAuth | Basic | Session | Anonymous
_FORMS: Mapping[str, type[OAuth | Basic | Session | Anonymous]] = {
    "oauth": OAuth,
    "basic": Basic,
    "session": Session,
    "none": Anonymous,
}
_KNOWN = names_of(*_FORMS.values())


def read_authentication(value: object, faults: Faults) -> Authentication | None:
    """Read the `authentication` section; gives it, or None when it has faults."""
    if not isinstance(value, Mapping):
        faults.add("", "is missing" if value is None else "is not an object")
        return None
    kind = value.get("type")
    if is_blank(kind):
        faults.add("type", f"is missing; choose one of {', '.join(_FORMS)}")
        return None
    form = _FORMS.get(str(kind))
    if form is None:
        faults.add("type", f"is unknown; {nearest(str(kind), _FORMS)}")
        return None
    return read_section(form, value, faults, _KNOWN)
