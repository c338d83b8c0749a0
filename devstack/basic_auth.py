from __future__ import annotations

import base64
import binascii


def decode_basic(header: str) -> tuple[str, str] | None:
    """User name and password of an `Authorization: Basic …` header; None when it holds none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    name, colon, password = decoded.partition(":")
    return (name, password) if colon else None
