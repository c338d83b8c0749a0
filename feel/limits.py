from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one evaluation may use.

    A step is one part of an expression evaluated once in a loop, one item made by a function or
    32 characters of text made: about 0.1 to 0.5 microseconds and at most some 100 bytes, so the
    default ends every evaluation within about a second and 200 MB.

    Attributes:
        steps: how many steps in all.
        deadline_s: seconds of wall-clock time, looked at every 20,000 steps.
        calls: how deep functions written in FEEL may call each other.
        string_chars: characters of the longest text that may be made.
        list_items: items of the longest list that may be made.
        regex_s: seconds that one match of a regular expression may take.
        regex_chars: characters of the longest regular expression, with what has to be repeated
            written out.
        regex_text_chars: characters of the longest text that one is matched with.
    """

    steps: int = 2_000_000
    deadline_s: float = 2.0
    calls: int = 100
    string_chars: int = 2_000_000
    list_items: int = 1_000_000
    regex_s: float = 0.5
    regex_chars: int = 1_000
    regex_text_chars: int = 1_000_000


DEFAULT_LIMITS = Limits()
