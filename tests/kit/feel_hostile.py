"""Texts that ask for too much.

`python -m tests.kit.feel_hostile NAME` evaluates one of them and prints the process's peak in MB.
"""

from __future__ import annotations

import sys
from pathlib import Path

import feel


def _nested(opening, inner, closing, times=3_000):
    return opening * times + inner + closing * times


def _doubled(first, step):
    entries = [f"a0: {first}", *(f"a{n}: {step.format(f'a{n - 1}')}" for n in range(1, 60))]
    return "{" + ", ".join(entries) + "}"


HOSTILE = {
    "3000 nested brackets": _nested("(", "1", ")"),
    "3000 nested lists": _nested("[", "", "]"),
    "3000 nested contexts": _nested("{a: ", "1", "}"),
    "3000 nested conditions": _nested("if true then ", "1", " else 1"),
    "3000 nested calls": _nested("not(", "true", ")"),
    "3000 nested functions": _nested("function() ", "1", ""),
    "3000 signs": _nested("-", "1", ""),
    "a sum of 3000 terms": "+".join(["1"] * 3_000),
    "a path of 3000 names": "a" + ".a" * 3_000,
    "3000 filters": "a" + "[1]" * 3_000,
    "1e400": "1e400",
    "a number of 400 digits": "1" * 400,
    "a power of 400 digits": "10 ** 400",
    "a power of a billion digits": "2 ** 1000000000",
    "a huge power of nearly one": "1.0000000001 ** (10 ** 30)",
    "e to the 1000": "exp(1000)",
    "a product of durations": 'duration("P1D") * 10 ** 300',
    "repeated squaring": _doubled("9999999999", "{0} * {0}"),
    "repeated doubling of a text": _doubled('"xxxxxxxxxx"', "{0} + {0}"),
    "repeated doubling of a list": _doubled("[1, 2, 3]", "concatenate({0}, {0})"),
    "a list in itself twice, as JSON": _doubled("[1]", "[{0}, {0}]"),
    "a list in itself twice, as text": f"string({_doubled('[1]', '[{0}, {0}]')})",
    "a list in itself twice, as JSON text": f"to json({_doubled('[1]', '[{0}, {0}]')})",
    "10^10 rounds": "count(for a in 1..100000, b in 1..100000 return a)",
    "10^10 counted": "count(for a in 1..10000000000 return a)",
    "10^10 rounds of some": "some a in 1..100000, b in 1..100000 satisfies a = -b",
    "three million contexts": "for a in 1..3000000 return {x: a, y: a}",
    "three million functions": "for a in 1..3000000 return function() a",
    "results of results": "for i in 1..100000 return partial",
    "a list a hundred thousand deep": "for i in 1..100000 return [partial[-1]]",
    "a text from a list 5000 deep": "string(for i in 1..5000 return [partial[-1]])",
    "equality of lists 5000 deep": "{a: for i in 1..5000 return [partial[-1]], b: a = a}.b = a",
    "endless recursion": "{f: function(g) g(g), r: f(f)}.r",
    "endless recursion that grows": "{f: function(g, n) 1 + g(g, n + 1), r: f(f, 1)}.r",
    "a thousand slow expressions": (
        'for i in 1..1000 return matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaa" + string(i), "^(a|aa)+$")'
    ),
    "a text replaced to a hundred times its length": (
        'replace(string join(for i in 1..100000 return "aaaaaaaaaa"), "a", "' + "b" * 100 + '")'
    ),
    "a thousand long texts": (
        '{s: string join(for i in 1..100000 return "aaaaaaaaaa"),'
        " r: for i in 1..1000 return s + string(i)}.r"
    ),
    "distinct contexts, each compared with all": "distinct values(for i in 1..50000 return {a: i})",
    "a text of 300,000 characters": '"' + "a" * 300_000 + '"',
}


def main() -> None:
    """Evaluate the text of a name and print the most megabytes that were in use."""
    try:
        feel.to_json(feel.compile(HOSTILE[sys.argv[1]]).evaluate())
    except feel.FeelError:
        # Not getrusage: its peak includes the parent that this process was forked from.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        sys.stdout.write(str(int(status.partition("VmHWM:")[2].split()[0]) / 1024))


if __name__ == "__main__":
    main()
