from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
import orjson
from multidict import MultiMapping

from connector.errors import ResponseInvalid
from connector.json_text import NULL, JsonText
from connector.operations import Operation
from connector.page import Page, check_page, read_page
from runtime.http import Answer

Headers = Mapping[str, str | list[str]]
"""Header names as the server wrote them; a header that came several times has a list."""

_NO_CONTENT = 204
_REDIRECT = range(300, 400)


@dataclass(frozen=True, slots=True)
class Response:
    """What the API answered, and what the process sees of it: `{status, headers, body, reason}`."""

    status: int
    headers: Headers
    body: JsonText
    reason: str | None

    def value(self) -> dict[str, object]:
        """The answer as a plain JSON value, for expressions that look inside."""
        return {**self._head(), "body": self.body.value}

    def encodable(self) -> dict[str, object]:
        """The answer for orjson, its body copied as it came."""
        return {**self._head(), "body": orjson.Fragment(self.body.raw)}

    def _head(self) -> dict[str, object]:
        return {"status": self.status, "headers": self.headers, "reason": self.reason}


def read_response(answer: Answer, operation: Operation) -> Response:
    """Read a good answer of `operation`.

    Raises:
        ResponseInvalid: when it is not what the API promises; the message names the likely cause.
    """
    # A search without a hit has an empty page: no content would be no answer to it.
    is_nothing = answer.status == _NO_CONTENT and operation.answer != "page"
    body = NULL if is_nothing else _body(answer, operation)
    return Response(answer.status, header_map(answer.headers), body, answer.reason or None)


def page_of(response: Response) -> Page:
    """The page that a good answer to a search is, its items apart.

    Raises:
        ResponseInvalid: when it only looked like a page: its items are no list, for one.
    """
    try:
        return read_page(response.body)
    except msgspec.ValidationError:
        raise ResponseInvalid(
            "The API's answer is no page that can be gone on from. Leave maxItems out to see it."
        ) from None


def header_map(headers: MultiMapping[str]) -> dict[str, str | list[str]]:
    """Headers as a process sees them: one value as text, several as a list."""
    found: dict[str, str | list[str]] = {}
    for name in headers:
        if name not in found:
            values = [_printable(value) for value in headers.getall(name)]
            # aiohttp's names are a subclass of `str`, which orjson does not take for a key.
            found[_printable(name)] = values[0] if len(values) == 1 else values
    return found


def _printable(text: str) -> str:
    """Plain text; bytes that are no UTF-8, which arrive as surrogates, are replaced."""
    return str(text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _body(answer: Answer, operation: Operation) -> JsonText:
    if operation.answer == "text":
        return JsonText(orjson.dumps(_text(answer)))
    body = answer.body.strip()
    if not body:
        raise ResponseInvalid(f"The API's answer is empty. {_cause(answer)}")
    try:
        # Checks the text and its shape without building values of it.
        body.decode()
        _CHECKS[operation.answer](body)
    except msgspec.ValidationError:
        what = f"JSON, but no {operation.answer}"
        raise ResponseInvalid(f"The API's answer is {what}. {_cause(answer)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ResponseInvalid(f"The API's answer is not JSON. {_cause(answer)}") from None
    return JsonText(body)


_CHECKS: Mapping[str, Callable[[bytes], object]] = {
    "page": check_page,
    "entity": msgspec.json.Decoder(dict[str, msgspec.Raw]).decode,
    "list": msgspec.json.Decoder(list[msgspec.Raw]).decode,
}


def _text(answer: Answer) -> str:
    if _is_login(answer):
        raise ResponseInvalid(f"The API's answer is no document. {_cause(answer)}")
    try:
        return answer.body.decode()
    except UnicodeDecodeError:
        raise ResponseInvalid("The API's answer is not UTF-8 text.") from None


def _is_login(answer: Answer) -> bool:
    """Whether a server that wants a login may have answered, by a page or the way to one."""
    return answer.status in _REDIRECT or "html" in answer.headers.get("Content-Type", "").lower()


def _cause(answer: Answer) -> str:
    if _is_login(answer) or answer.body[:1] == b"<":
        return (
            "It looks like a login page: check the URL and that the authentication type is one "
            "that this server takes."
        )
    return "Check that the URL leads to Operate and not to something else."
