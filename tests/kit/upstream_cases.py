"""Upstream's cases, sorted by what runs them, and those that nothing runs, each with its reason."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

CASES = orjson.loads((Path(__file__).parents[1] / "connector" / "cases.json").read_bytes())
"""All 216, each with id, kind, input and expected."""

DIFFERENCES = {
    30: "what a secret expands to is not read again, or a secret could name another one",
    31: "a reference outside of quotes is no JSON, and a gateway hands out nothing else",
    33: "`mysecrets.X` is no reference",
    35: "keys are left alone",
    43: "a field's type is told with its path, and what is no JSON at all as such",
    108: "a missing context is a defect of the caller here, not an expression's",
    176: "after a success `response` has the answer too, as the documentation promises",
    246: "a token without `expires_in` is kept for five minutes, and dropped at a 401",
    302: "a key that is a number is a key",
}
"""Cases that are different here on purpose; docs/explanation/differences-from-upstream.md."""

NOT_OURS = {
    23: "no allow-list of secrets is offered",
    62: "what is masked comes from JSON, which cannot contain itself",
    211: "an error made by hand of an answer that is none: nothing raises it",
    213: "the same",
    227: "an address with blanks is refused, and a template's paths have none",
    238: "an Operate task sends no form",
    240: "an Operate task sends no body but a search",
    270: "the method follows from the operation",
    283: "no block list is offered; CONNECTOR_ALLOWED_HOSTS names who may be called",
    284: "the same",
    285: "no check of addresses is offered; CONNECTOR_ALLOWED_HOSTS names who may be called",
    286: "the same",
    287: "the same",
    288: "the same",
    289: "the same",
    290: "the same",
    291: "the same",
}
"""Cases about what Operate tasks never need."""

GROUPS = {
    "job tried until it ends": lambda case: "invocations" in case["expected"],
    "job time and back-off": lambda case: (
        case["kind"] == "retry" and not {"response", "thrown", "expression"} & case["input"].keys()
    ),
    "result, error and retry": lambda case: case["kind"] in {"result", "error", "retry"},
    "secret detected": lambda case: case["input"].get("op") == "detect",
    "secret replaced": lambda case: case["kind"] == "secret" and "text" in case["expected"],
    "secret missing": lambda case: case["kind"] == "secret" and "error" in case["expected"],
    "secret bound": lambda case: "bind" in case["input"],
    "secret first": lambda case: case["kind"] == "secret" and case["id"] == 41,
    "secret of the environment": lambda case: case["kind"] == "secret" and "env" in case["input"],
    "secret masked in a message": lambda case: (
        case["kind"] == "secret" and "thrownMessage" in case["input"]
    ),
    "secret masked in variables": lambda case: "errorVariables" in case["input"],
    "http error answer": lambda case: (
        case["kind"] == "http" and case["input"].get("status", 0) >= 400
    ),
    "http body": lambda case: "bodyText" in case["input"],
    "http address": lambda case: case["kind"] == "http" and "url" in case["input"],
    "http good answer": lambda case: (
        case["kind"] == "http"
        and (
            {"responseHeaders", "responseBody"} & case["input"].keys()
            or "status" in case["expected"]
        )
    ),
    "http silence": lambda case: "serverDelayMs" in case["input"],
    "http request": lambda case: case["id"] in {237, 260},
    "http token request": lambda case: "tokenRequest" in case["expected"],
    "http token refused": lambda case: "tokenEndpointStatus" in case["input"],
    "http token count": lambda case: "tokenRequests" in case["expected"],
    "http time-out read": lambda case: (
        "connectionTimeoutInSeconds" in case["input"]
        and isinstance(case["expected"].get("error"), bool)
    ),
    "http time-out used": lambda case: "effectiveReadTimeout" in case["expected"],
    "http proxy": lambda case: "nonProxyHosts" in case["input"],
}
"""Who runs what: a test asks for its group by name; the first that fits has a case."""


def group_of(case):
    """The group that runs a case, None when none does."""
    return next((name for name, fits in GROUPS.items() if fits(case)), None)


def group(name, *, with_differences=False):
    """A test's cases, with readable ids."""
    chosen = [
        case
        for case in CASES
        if group_of(case) == name
        and case["id"] not in NOT_OURS
        and (with_differences or case["id"] not in DIFFERENCES)
    ]
    return pytest.mark.parametrize("case", chosen, ids=lambda case: f"case-{case['id']}")
