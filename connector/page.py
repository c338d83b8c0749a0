from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from connector.json_text import JsonText


class Page(msgspec.Struct, frozen=True):
    """One page of a search: the envelope decoded, the items left as the text they came in.

    `sort_values` are opaque: what a next page must be asked with.
    """

    items: list[msgspec.Raw]
    sort_values: list[Any] = msgspec.field(name="sortValues", default_factory=list)
    total: int = 0


class _Envelope(msgspec.Struct):
    """The same, cheaper: enough to tell that it is a page."""

    items: msgspec.Raw
    sortValues: msgspec.Raw  # noqa: N815  # the API's own spelling
    total: int


_PAGE = msgspec.json.Decoder(Page)
check_page = msgspec.json.Decoder(_Envelope).decode
"""Decodes a page's envelope; raises `msgspec.DecodeError` when the text is no page."""


def read_page(body: JsonText) -> Page:
    """Decode a page that `check_page` has seen."""
    return _PAGE.decode(body.raw)


def join(pages: Sequence[Page]) -> JsonText:
    """One page that holds the items of all, and the last one's place to go on from."""
    last = pages[-1]
    items = [item for page in pages for item in page.items]
    return JsonText(msgspec.json.encode(Page(items, last.sort_values, last.total)))
