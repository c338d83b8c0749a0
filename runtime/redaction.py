from __future__ import annotations

import re
from functools import lru_cache

MASK = "***"

_CREDENTIAL_NAME = re.compile(
    r"authori[sz]ation|token|secret|passw|passphrase|api[-_ ]?key|cookie|credential"
    r"|private[-_ ]?key|^pwd$|^auth$|csrf|jwt|bearer",
    re.IGNORECASE,
)
# Where a credential is, or how it is asked for, is none itself.
_ABOUT_ONE = re.compile(
    r"(?:ur[il]|endpoint|dir|directory|file|path|prefix|method|type|audience|enabled|aware)s?$",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"(?<=://)[^/?#\s@]*(?:@[^/?#\s@]*)*(?=@)")
_QUERY_PAIR = re.compile(r"([?&;])([^=&;#\s]+)=([^&;#\s]*)")
# A capital or a digit tells a token from a word: "Basic authentication" is to be read.
_BEARER = re.compile(r"\b((?i:Bearer|Basic))\s+(?=\S*[A-Z0-9])[\w.~+/=-]{6,}")


@lru_cache(maxsize=1024)  # each log line asks again for the same few names
def names_credential(name: str) -> bool:
    """Whether a key of this name looks as if its value were a credential.

    A `token_url` or a `secrets_dir` is an address, not a credential, and stays readable.
    """
    return _CREDENTIAL_NAME.search(name) is not None and _ABOUT_ONE.search(name) is None


def mask_text(text: str) -> str:
    """`text` with user:password of URLs, credential-like query values and bearer tokens masked."""
    masked = _USER_INFO.sub(MASK, text) if "@" in text else text
    if "=" in masked:
        masked = _QUERY_PAIR.sub(_mask_pair, masked)
    return _BEARER.sub(rf"\1 {MASK}", masked) if " " in masked else masked


def _mask_pair(pair: re.Match[str]) -> str:
    mark, name, value = pair.groups()
    return f"{mark}{name}={MASK if names_credential(name) else value}"
