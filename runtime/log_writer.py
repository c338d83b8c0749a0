from __future__ import annotations

import atexit
import threading
from collections import deque
from typing import TextIO


class LineWriter:
    """Writes log lines to a stream from a thread of its own.

    A stream whose reader has stopped blocks whoever writes to it; here that is the thread and not
    the event loop. Lines beyond the capacity are dropped, and their number is told once there is
    room. `close` is idempotent; a line written after it goes straight to the stream.

    Args:
        stream: Where lines go.
        capacity: Lines that may wait.
    """

    def __init__(self, stream: TextIO, capacity: int = 10_000) -> None:
        self._stream = stream
        self._capacity = capacity
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._closed = False
        self._changed = threading.Condition()
        # A daemon, because a stream that blocks must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def write(self, text: str) -> None:
        """Hand over one line, with its line end; never waits for the stream."""
        with self._changed:
            if self._closed:
                self._stream.write(text)
            elif len(self._lines) >= self._capacity:
                self._dropped += 1
            else:
                self._lines.append(text)
                self._changed.notify()

    def flush(self) -> None:
        """Nothing: the thread flushes when it has written all that waits."""

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what waits, for at most `timeout_s`, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout_s)
        atexit.unregister(self.close)

    def _run(self) -> None:
        while lines := self._next_lines():
            try:
                self._stream.write(_encodable(lines, self._stream.encoding or "utf-8"))
                self._stream.flush()
            except (OSError, ValueError):
                # The reader of the stream is gone. There is nowhere left to say so, and a service
                # goes on without its log.
                continue

    def _next_lines(self) -> str:
        """All that waits, as one text; empty when closed and nothing waits."""
        with self._changed:
            while not self._lines and not self._closed:
                self._changed.wait()
            lines = "".join(self._lines)
            self._lines.clear()
            if self._dropped:
                lines += f'{{"level":"warning","event":"log lines dropped","n":{self._dropped}}}\n'
                self._dropped = 0
            return lines


def _encodable(text: str, encoding: str) -> str:
    return text.encode(encoding, "backslashreplace").decode(encoding)
