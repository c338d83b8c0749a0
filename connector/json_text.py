from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import orjson


@dataclass(frozen=True)
class JsonText:
    """A JSON value kept as the bytes it came in.

    Most answers go to the process as they came: parsing and writing them again would cost more
    than the call to the gateway. They are parsed once somebody looks inside.
    """

    raw: bytes

    @cached_property
    def value(self) -> object:
        """The value, parsed; integers are exact."""
        return orjson.loads(self.raw)


NULL = JsonText(b"null")
