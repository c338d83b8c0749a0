from __future__ import annotations

import argparse
import asyncio
import sys

from bpmn.demo.run import run
from runtime.clock import SystemClock


def main() -> int:
    """Run the demo; gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bpmn.demo",
        description="Run the example processes on an embedded cluster and show what was asked.",
    )
    parser.add_argument("--stay", action="store_true", help="stay up afterwards, until Ctrl-C")
    stay = parser.parse_args().stay
    return asyncio.run(run(lambda text: print(text, flush=True), SystemClock(), stay=stay))


if __name__ == "__main__":
    sys.exit(main())
