"""Secrets that are easy to find again, and a server that repeats all that it hears."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import orjson
from aiohttp import web

CANARIES = {
    "PLAIN": "canary-plain-7f3a9",
    "ODD": 'canary "odd" \\ <ä&b> + / % 8c1d',
    "ID": "canary-client-41b7",
    "KEY": "canary-secret-e02f5",
    "USER": "canary-user-99ad",
    "PASSWORD": "canary-password-3c6e",
    "AUDIENCE": "canary-audience-5d5d",
    "SCOPE": "canary-scope-77aa",
}
"""One for each place that a task can have a secret in, and one that needs escaping everywhere."""


def disguises(value: str) -> set[str]:
    """The forms in which a secret may turn up in text."""
    return {
        value,
        json.dumps(value)[1:-1],
        orjson.dumps(value).decode()[1:-1],
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
        html.escape(value),
        # The last letter may depend on what follows.
        base64.b64encode(value.encode()).decode()[: len(value.encode()) * 8 // 6],
    }


def found_in(text: str, secrets=CANARIES) -> list[str]:
    """The names of the secrets that a text gives away."""
    return [
        name for name, value in secrets.items() if any(form in text for form in disguises(value))
    ]


async def echo(request: web.Request) -> web.Response:
    """Whatever was asked, in every form that a server might repeat it in, as an error."""
    body = (await request.read()).decode()
    status = int(request.headers.get("X-Status", 500))
    said = {
        "message": f"cannot do {request.method} {request.url} with {body}",
        "headers": dict(request.headers),
        "body": body,
        "parsed": _parsed(body),
        "escaped": html.escape(body),
        "quoted": quote(body),
        "encoded": base64.b64encode(body.encode()).decode(),
        _key(body): "as a key",
    }
    return web.json_response(said, status=status, reason="Said too much")


def _parsed(body: str) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _key(body: str) -> str:
    return f"key {body}"
