"""What FEEL costs: our engine, and feelin in node behind a pipe, side by side in one run.

    python -m bench.feel [--rounds 5]

Each expression is evaluated over one response of 50 items, a Python value in and a Python value
out; feelin's figure has the JSON text of both in it, as any use of it from Python has. Rounds
alternate and the best of each counts. Importing is measured in processes of its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import feel
from feel.expression import compile_text
from tests.kit.feelin import Feelin

RESPONSE = {
    "response": {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": {
            "items": [
                {
                    "key": 2251799813685249 + number,
                    "state": "ACTIVE" if number % 3 == 0 else "COMPLETED",
                    "bpmnProcessId": f"process-{number}",
                    "processVersion": number,
                }
                for number in range(50)
            ]
        },
    }
}
_IMPORT = """
import time
def resident_mb():
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * 4096 / 1e6
before_mb = resident_mb()
start_s = time.perf_counter()
import feel
print((time.perf_counter() - start_s) * 1e3, resident_mb() - before_mb)
"""


@dataclass(frozen=True, slots=True)
class Bound:
    """An expression and what is asked of it.

    Attributes:
        text: the expression.
        evaluate_us: microseconds that one evaluation may take.
        times_faster: how many times faster than feelin it must be.
    """

    text: str
    evaluate_us: float
    times_faster: float


BOUNDS = (
    Bound("={x: response.status}", 2, 200),
    Bound("for i in response.body.items return {k: i.key}", 50, 12),
    Bound('response.body.items[state = "ACTIVE"][1].key', 45, 12),
)
COMPILE_US, IMPORT_MS, IMPORT_MB = 20, 40, 8


@dataclass(frozen=True, slots=True)
class Figure:
    """What one expression costs, in microseconds an evaluation."""

    text: str
    ours_us: float
    feelin_us: float
    compile_us: float

    @property
    def ratio(self) -> float:
        """How many times faster than feelin our engine is."""
        return self.feelin_us / self.ours_us


def measure(rounds: int) -> list[Figure]:
    """The figures of each expression, the best of so many rounds that alternate."""
    with Feelin() as feelin:
        return [_figure(feelin, bound.text, rounds) for bound in BOUNDS]


def _figure(feelin: Feelin, text: str, rounds: int) -> Figure:
    expression = feel.compile(text)
    theirs = text.removeprefix("=")
    ours_s, feelin_s, compile_s = [], [], []
    for _ in range(rounds):
        ours_s.append(_seconds_each(lambda: expression.evaluate(RESPONSE), 5_000))
        feelin_s.append(_seconds_each(lambda: feelin.ask(theirs, RESPONSE), 300))
        compile_s.append(_seconds_each(lambda: compile_text.__wrapped__(text), 1_000))
    return Figure(text, *(min(seconds) * 1e6 for seconds in (ours_s, feelin_s, compile_s)))


def _seconds_each(work: Callable[[], object], times: int) -> float:
    start_s = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start_s) / times


def measure_import(rounds: int) -> tuple[float, float]:
    """Milliseconds and megabytes that `import feel` takes in a fresh process, the median."""
    found = []
    for _ in range(rounds):
        printed = subprocess.run(
            [sys.executable, "-c", _IMPORT], check=True, capture_output=True, text=True
        ).stdout
        found.append(tuple(map(float, printed.split())))
    milliseconds, megabytes = zip(*found, strict=True)
    return median(milliseconds), median(megabytes)


def main() -> int:
    """Print the table; 1 when a bound does not hold."""
    parser = argparse.ArgumentParser(prog="bench.feel", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    figures = measure(rounds)
    print(
        "| expression | ours, µs | at most | feelin 8, µs | times faster | at least | compile, µs |"
    )
    print("|---|---|---|---|---|---|---|")
    for figure, bound in zip(figures, BOUNDS, strict=True):
        print(
            f"| `{figure.text}` | {figure.ours_us:.2f} | {bound.evaluate_us} "
            f"| {figure.feelin_us:.0f} | {figure.ratio:.0f} | {bound.times_faster} "
            f"| {figure.compile_us:.1f} |"
        )
    import_ms, import_mb = measure_import(rounds)
    print(f"\nimport: {import_ms:.0f} ms (at most {IMPORT_MS}), {import_mb:.1f} MB ({IMPORT_MB})")
    within = all(
        figure.ours_us <= bound.evaluate_us
        and figure.ratio >= bound.times_faster
        and figure.compile_us <= COMPILE_US
        for figure, bound in zip(figures, BOUNDS, strict=True)
    )
    return 0 if within and import_ms <= IMPORT_MS and import_mb <= IMPORT_MB else 1


if __name__ == "__main__":
    sys.exit(main())
