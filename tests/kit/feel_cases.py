"""The collected FEEL expressions, each with a context and the result that its source gives."""

from __future__ import annotations

import json
from pathlib import Path

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent.parent / "feel" / "cases.jsonl")
    .read_text("utf-8")
    .splitlines()
]
RAISES = {"$error": True}
"""The result of an expression that must raise."""
