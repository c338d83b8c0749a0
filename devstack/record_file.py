from __future__ import annotations

from pathlib import Path

from devstack.records import Record


class RecordFile:
    """Writes every record to a file as one line of JSON, flushed before the engine goes on.

    `log.subscribe(file.write)` sets it going. A file that is there already is continued.

    Args:
        path: The file; its folder must exist.

    Raises:
        OSError: The file cannot be opened for writing.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def write(self, record: Record) -> None:
        """Append one record.

        Raises:
            OSError: The line cannot be written, as on a full disk.
        """
        self._file.write(record.to_json() + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Write no more; closing twice is fine."""
        self._file.close()
