import io
import json
import logging
import os
import re
import threading
import warnings
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from runtime.log_writer import LineWriter
from runtime.logs import configure, mask, render_json


@pytest.fixture
def logged():
    """Configure logging into a buffer; gives a function that ends the log and gives its text."""
    stream = io.StringIO()
    before = logging.getLogger().handlers[:], logging.getLogger().level

    def setup(level="INFO", form="json"):
        writer = configure(level, form, stream)

        def text():
            writer.close()
            return stream.getvalue()

        return text

    yield setup
    logging.captureWarnings(capture=False)
    logging.getLogger().handlers[:], _ = before
    logging.getLogger().setLevel(before[1])
    structlog.reset_defaults()


def lines(text):
    return [orjson.loads(line) for line in text.splitlines()]


def test_line_is_one_json_object(logged):
    """A line has time, level, logger and event first, then the fields."""
    text = logged()
    structlog.get_logger("a.b").info("done", job=5, took_s=0.5)
    (line,) = lines(text())

    assert list(line) == ["timestamp", "level", "logger", "event", "job", "took_s"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("timestamp"))
    assert line == {"level": "info", "logger": "a.b", "event": "done", "job": 5, "took_s": 0.5}


def test_level_is_kept(logged):
    """Lines below the level are not written, ours and the standard library's."""
    text = logged("WARN")
    for logger in (structlog.get_logger("a"), logging.getLogger("b")):
        logger.info("less")
        logger.warning("enough")

    assert [(line["logger"], line["event"]) for line in lines(text())] == [
        ("a", "enough"),
        ("b", "enough"),
    ]


def test_standard_library_is_bridged(logged):
    """Loggers of libraries write lines of the same form, warnings too."""
    text = logged()
    logging.getLogger("grpc.aio").error("lost %s", "http://u:p@h/")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("careful", stacklevel=1)
    lost, careful = lines(text())

    assert (lost["level"], lost["logger"], lost["event"]) == (
        "error",
        "grpc.aio",
        "lost http://***@h/",
    )
    assert set(lost) == {"timestamp", "level", "logger", "event"}
    assert "careful" in careful["event"]


def _break():
    local = "hidden" + "-value"
    raise RuntimeError("broken" if local else "")


@pytest.mark.parametrize("form", ["json", "console", "text"])
def test_exception_is_written_without_its_variables(logged, form):
    """A traceback is there, local variables are not."""
    text = logged(form=form)
    for logger in (structlog.get_logger("a"), logging.getLogger("b")):
        try:
            _break()
        except RuntimeError:
            logger.exception("failed")
    written = text()

    assert "hidden-value" not in written
    assert written.count("RuntimeError: broken") == 2
    assert written.count("Traceback") == 2


@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_are_masked(logged, form):
    """Secrets, keys that look like credentials and URL credentials do not come through."""
    text = logged(form=form)
    structlog.get_logger().info(
        "asked http://me:hidden@h/?token=hidden",
        client_secret="hidden",
        anything=SecretStr("hidden"),
        headers={"Authorization": "hidden", "Accept": ["a", {"cookie": "hidden"}]},
        said="Bearer hidden-Token1",
        thing=Decimal(5),
    )
    written = text()

    assert "hidden" not in written
    assert "<Decimal>" in written
    assert "a" in written


@given(
    st.recursive(
        st.none()
        | st.integers()
        | st.text(st.characters())
        | st.floats(allow_nan=False)
        | st.just(SecretStr("x")),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_masking_takes_any_value(value):
    """Whatever is logged is masked without an error, and what is left can be written."""
    masked = mask(None, "info", {"value": value, "path": Path("/x"), "error": ValueError("e")})

    assert json.loads(render_json(None, "info", masked))["path"] == "/x"
    assert (masked["path"], masked["error"]) == ("/x", "e")


def test_deep_values_end(logged):
    """A value that holds itself does not go on for ever."""
    knot = {}
    knot["again"] = knot
    text = logged()
    structlog.get_logger().info("deep", knot=knot)

    assert "<dict>" in text()


def test_console_is_for_people(logged):
    """The console form is a plain line, without colours when nobody sees them."""
    text = logged(form="console")
    structlog.get_logger("a.b").info("done", job=5)

    assert re.fullmatch(r"\S+Z \[info +\] done +\[a\.b\] job=5\n", text())


def test_context_is_on_each_line(logged):
    """Fields bound to the context are on every line within it."""
    text = logged()
    with structlog.contextvars.bound_contextvars(partition=3):
        structlog.get_logger().info("in")
    structlog.get_logger().info("out")

    assert [line.get("partition") for line in lines(text())] == [3, None]


def test_configuring_again_replaces(logged):
    """A second call does not write lines twice."""
    logged()
    text = logged()
    logging.getLogger("a").warning("once")

    assert len(lines(text())) == 1


def test_writer_does_not_block_on_a_full_pipe():
    """Nobody reads the stream: writing goes on, beyond the capacity lines are dropped and told."""
    read_end, write_end = os.pipe()
    stream = os.fdopen(write_end, "w", encoding="utf-8")
    writer = LineWriter(stream, capacity=100)
    for _ in range(5000):
        writer.write("x" * 999 + "\n")

    with os.fdopen(read_end, encoding="utf-8") as reader:
        closer = threading.Thread(target=lambda: (writer.close(5), stream.close()))
        closer.start()
        written = reader.read().splitlines()
        closer.join()

    told = [orjson.loads(line)["n"] for line in written if line.startswith("{")]
    assert sum(told) + len(written) - len(told) == 5000
    assert sum(told) > 0


def test_writer_keeps_the_order_and_loses_nothing():
    """Lines below the capacity come out whole and in order."""
    stream = io.StringIO()
    writer = LineWriter(stream)
    for number in range(1000):
        writer.write(f"{number}\n")
    writer.close()
    writer.close()
    writer.write("late\n")

    assert stream.getvalue().split() == [*map(str, range(1000)), "late"]


def test_writer_survives_a_stream_that_is_gone():
    """A reader that went away does not end the service, nor its closing."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    stream = os.fdopen(write_end, "w", encoding="utf-8", buffering=1)
    writer = LineWriter(stream)
    writer.write("x\n")
    writer.write("y\n")
    writer.close()

    assert not writer._thread.is_alive()
    with pytest.raises(OSError, match="Broken pipe"):
        stream.close()


def test_writer_writes_what_the_stream_cannot_encode():
    """A character that the stream has no byte for is written escaped, and no line is lost."""
    raw = io.BytesIO()
    writer = LineWriter(io.TextIOWrapper(raw, encoding="ascii", newline="\n"))
    writer.write("a\n")
    writer.write("\ud800 ü\n")
    writer.close()

    assert raw.getvalue() == b"a\n\\ud800 \\xfc\n"
