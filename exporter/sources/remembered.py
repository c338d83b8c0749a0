"""Progress as text, for sources that keep it at their peer (redis, kafka)."""

from __future__ import annotations

import msgspec

from exporter.progress import Bounds, Progress

_FORM = 1


class _Remembered(msgspec.Struct, frozen=True, array_like=True):
    """What is written: short, since Kafka allows 4096 bytes."""

    form: int
    position: int
    timestamp_ms: int
    pending: tuple[int, int, int, str] | None
    bookmark: str = ""


_decode = msgspec.json.Decoder(_Remembered).decode


def to_text(progress: Progress, *, with_bookmark: bool = True) -> str:
    """Write progress down.

    Args:
        progress: What to write.
        with_bookmark: Whether the peer has no place of its own for the bookmark.
    """
    pending = progress.pending
    return msgspec.json.encode(
        _Remembered(
            form=_FORM,
            position=progress.position,
            timestamp_ms=progress.timestamp_ms,
            pending=(pending.first, pending.last, pending.count, pending.selection)
            if pending
            else None,
            bookmark=progress.bookmark if with_bookmark else "",
        )
    ).decode()


def from_text(text: str | bytes) -> Progress | None:
    """Read what `to_text` wrote; None when somebody else wrote it, or a later version did."""
    try:
        read = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if read.form != _FORM:
        return None
    return Progress(
        position=read.position,
        bookmark=read.bookmark,
        pending=Bounds(*read.pending) if read.pending else None,
        timestamp_ms=read.timestamp_ms,
    )
