from __future__ import annotations

import re

MASK = "***"

_CREDENTIAL_NAME = re.compile(
    r"authori[sz]ation|token(?!_?ur[il])|secret|passw|passphrase|api[-_ ]?key|cookie|credential"
    r"|private[-_ ]?key|^pwd$|^auth$|csrf|jwt|bearer",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"(?<=://)[^/?#\s@]*(?:@[^/?#\s@]*)*(?=@)")
_QUERY_PAIR = re.compile(r"([?&;])([^=&;#\s]+)=([^&;#\s]*)")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE)


def names_credential(name: str) -> bool:
    """Whether a key of this name looks as if its value were a credential.

    A `token_url` is an address, not a credential, and stays readable.
    """
    return _CREDENTIAL_NAME.search(name) is not None


def mask_text(text: str) -> str:
    """`text` with user:password of URLs, credential-like query values and bearer tokens masked."""
    masked = _USER_INFO.sub(MASK, text) if "@" in text else text
    if "=" in masked:
        masked = _QUERY_PAIR.sub(_mask_pair, masked)
    return _BEARER.sub(rf"\1 {MASK}", masked)


def _mask_pair(pair: re.Match[str]) -> str:
    mark, name, value = pair.groups()
    return f"{mark}{name}={MASK if names_credential(name) else value}"
