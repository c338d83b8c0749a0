"""feelin, the JavaScript engine for FEEL, in node behind a pipe."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.kit.waiting import PATIENCE_S

SCRIPT = Path(__file__).with_name("feelin.mjs")


class Feelin:
    """A node process that evaluates one expression at a time."""

    def __enter__(self) -> Self:
        self._node = subprocess.Popen(
            ["node", str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._node.stdin.close()
        self._node.stdout.close()
        self._node.wait(timeout=PATIENCE_S)

    def ask(self, text: str, context: object) -> dict:
        """`{"value": …}` or `{"error": …}` for an expression."""
        self._node.stdin.write(json.dumps({"text": text, "context": context}) + "\n")
        self._node.stdin.flush()
        return json.loads(self._node.stdout.readline())
