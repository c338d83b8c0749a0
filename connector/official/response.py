from __future__ import annotations

from dataclasses import dataclass

import msgspec
import orjson

from connector.json_text import NULL, JsonText
from connector.response import Headers, header_map
from runtime.http import Answer

_NO_CONTENT = 204
_NOT_MODIFIED = 304
_REDIRECT = range(300, 400)
_check = msgspec.json.Decoder(msgspec.Raw).decode


@dataclass(frozen=True, slots=True)
class OfficialResponse:
    """What upstream's REST connector gives a process. `document` is for files, never set here."""

    status: int
    headers: Headers
    body: JsonText
    reason: str | None

    def value(self) -> dict[str, object]:
        """The answer as a plain JSON value."""
        return self._around(self.body.value)

    def encodable(self) -> dict[str, object]:
        """The same for orjson, the body copied as it came."""
        return self._around(orjson.Fragment(self.body.raw))

    def _around(self, body: object) -> dict[str, object]:
        return {
            "status": self.status,
            "headers": self.headers,
            "body": body,
            "reason": self.reason,
            "document": None,
        }


@dataclass(frozen=True, slots=True)
class NoResponse:
    """What a redirect without an entity gives: nothing, not even its status."""

    def value(self) -> None:
        """Null."""

    encodable = value


def read_official_response(answer: Answer) -> OfficialResponse | NoResponse:
    """Read an answer whose status is below 400; whatever its body is, it is no error."""
    if answer.status in _REDIRECT and not _has_entity(answer):
        return NoResponse()
    body = NULL if answer.status == _NO_CONTENT else body_text(answer.body)
    return OfficialResponse(answer.status, header_map(answer.headers), body, answer.reason or None)


def body_text(body: bytes) -> JsonText:
    """A body as JSON: an object or array as it is, other text as a string, blank as null.

    The content type is not looked at. Bytes that are no UTF-8 are replaced.
    """
    text = body.strip()
    if not text:
        return NULL
    if text[:1] in {b"{", b"["}:
        try:
            text.decode()
            _check(text)
        except (UnicodeDecodeError, msgspec.DecodeError):
            pass
        else:
            return JsonText(text)
    return JsonText(orjson.dumps(body.decode("utf-8", "replace")))


def _has_entity(answer: Answer) -> bool:
    """Whether HTTP says that there is a body, be it an empty one."""
    announced = {"Content-Length", "Transfer-Encoding"} & set(map(str.title, answer.headers))
    return answer.status != _NOT_MODIFIED and bool(answer.body or announced)
