"""Runs every measurement, one after the other, and keeps what they print.

    python -m bench

Each measurement is a module of its own that compares things side by side in one run, because on a
busy machine only ratios mean anything. The tables go to the terminal and, with the machine that
they were taken on, to bench/results/latest.json.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
LATEST = HERE / "results" / "latest.json"
BY_THEMSELVES = {"kill", "soak"}
"""Proofs that take their time: `python -m bench.kill`, `python -m bench.soak`."""
PARTS = {"__init__", "__main__", "api", "broker_feeders", "feeders", "gateway", "peers"}
"""Modules that measure nothing by themselves."""


def measurements() -> list[str]:
    """The names of all measurements."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in PARTS | BY_THEMSELVES)


def main() -> int:
    """Run them all; gives 1 when one of them failed."""
    tables = {name: _run(name) for name in measurements()}
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_text(json.dumps({"taken": _machine(), "tables": tables}, indent=2) + "\n")
    return 1 if any(table["exit_code"] for table in tables.values()) else 0


def _run(name: str) -> dict[str, object]:
    print(f"\n== bench.{name} ==", flush=True)
    lines = []
    with subprocess.Popen(
        [sys.executable, "-m", f"bench.{name}"],
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        for line in running.stdout or ():
            print(line, end="", flush=True)
            lines.append(line.rstrip("\n"))
    return {"exit_code": running.returncode, "lines": lines}


def _machine() -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "load": os.getloadavg(),
    }


if __name__ == "__main__":
    sys.exit(main())
