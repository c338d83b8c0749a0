from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.event import INTENTS, Selection, intents_of
from exporter.record import Fault, Record, Sieve, Unreadable, whose
from tests.kit.records import other_line, pretty, record, task_line

tasks = Sieve(intents_of([Selection()]))
everything = Sieve(INTENTS)


def faults(*lines: bytes) -> list[tuple[Fault, int, int]]:
    return [
        (sifted.fault, sifted.partition_id, sifted.position)
        for sifted in tasks.lines(lines)
        if isinstance(sifted, Unreadable)
    ]


def test_only_what_is_asked_for_passes_the_sieve():
    """Of many lines, the user tasks come out, in their order."""
    lines = [task_line(1), other_line(2), task_line(3, intent="CREATING"), task_line(4)]
    assert [sifted.position for sifted in tasks.lines(lines)] == [1, 4]


def test_spaced_json_passes_as_well():
    """A source that prints white space is read like any other."""
    (sifted,) = tasks.lines([pretty(5)])
    assert (sifted.position, sifted.value_type) == (5, "USER_TASK")


def test_the_text_of_a_value_type_elsewhere_is_no_user_task():
    """A process instance record of a user task element holds the words and is none."""
    value = {"bpmnElementType": "USER_TASK"}
    assert tasks.lines([task_line(1, value_type="PROCESS_INSTANCE", value=value)]) == []


def test_fields_that_nobody_knows_are_let_be():
    """Records of later brokers have fields that this version has never heard of."""
    (sifted,) = tasks.lines([task_line(1, agent={"x": [1]}, sequence=2**52)])
    assert isinstance(sifted, Record)


def test_a_record_of_8_1_needs_no_later_fields():
    """The envelope of the first records with a user task's fields is enough."""
    shown = record(1)
    for name in ("authorizations", "recordVersion", "operationReference", "brokerVersion"):
        del shown[name]
    del shown["timestamp"]
    (sifted,) = tasks.lines([orjson.dumps(shown) + b"\n"])
    assert (sifted.position, sifted.timestamp) == (1, -1)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (task_line(3)[:-40] + b"\n", Fault.CUT_OFF),
        (task_line(3)[:200] + b"\n", Fault.CUT_OFF),
        (b"garbage\n", Fault.NOT_JSON),
        (b'{"valueType":"USER_TASK",}\n', Fault.NOT_JSON),
        (task_line(3, position="three"), Fault.ENVELOPE),
        (task_line(3, partitionId=0), Fault.ENVELOPE),
        (task_line(3, position=-5), Fault.ENVELOPE),
        (task_line(3, position=2**63), Fault.ENVELOPE),
        (task_line(3, timestamp=2**63), Fault.ENVELOPE),
        (task_line(3, timestamp=-(2**63)), Fault.ENVELOPE),
        (b'{"valueType":"USER_TASK"}\n', Fault.ENVELOPE),
        (b'["USER_TASK"]\n', Fault.ENVELOPE),
    ],
)
def test_what_is_no_record_is_told_apart(line, fault):
    """Each way of being broken has a name, and none stops the reading."""
    assert [found for found, _, _ in faults(task_line(2), line, task_line(4))] == [fault]
    assert len(tasks.lines([task_line(2), line, task_line(4)])) == 3


def test_a_broken_record_is_named_by_what_can_still_be_read():
    """Partition and position are told as far as the text still holds them."""
    whole = task_line(77, partition=4)
    assert faults(whole[:-30] + b"\n") == [(Fault.CUT_OFF, 4, -1)]
    assert faults(whole.replace(b'"intent":"CREATED"', b'"intent":')) == [(Fault.NOT_JSON, 4, 77)]
    assert faults(b"garbage\n") == [(Fault.NOT_JSON, 0, -1)]


def test_only_what_looks_like_a_user_task_is_worth_setting_aside():
    """A cut user task is recognised by its fields although its value type is gone."""
    cut, garbage = tasks.lines([task_line(1)[:120] + b"\n", b"garbage\n"])
    assert (cut.is_user_task, garbage.is_user_task) == (True, False)


def test_blank_lines_are_nothing():
    """An empty line is neither a record nor a fault."""
    assert tasks.lines([b"\n", b"  \r\n"]) == []


def test_lines_that_end_in_carriage_returns_are_read():
    """A file that passed through Windows is read like any other."""
    assert [s.position for s in tasks.lines([task_line(1)[:-1] + b"\r\n", other_line(2)])] == [1]


def test_a_long_record_is_read():
    """Ten megabytes of variables make a long record, not a broken one."""
    value = record(1)["value"] | {"variables": {"text": "x" * 10_000_000}}
    (sifted,) = tasks.lines([task_line(1, value=value)])
    assert isinstance(sifted, Record)


def test_messages_hold_no_values():
    """A fault says where and what, never what stands there."""
    (broken,) = tasks.lines([task_line(3, position="secret-position")])
    assert "secret" not in broken.reason
    assert "$.position" in broken.reason


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(raw):
    """Whatever stands in a line, the sieve gives a record, a fault or nothing."""
    for sifted in (everything.one(raw), *everything.lines([raw + b"\n"])):
        assert sifted is None or isinstance(sifted, Record | Unreadable)


@given(st.integers(0, 2000))
def test_every_cut_of_a_user_task_is_noticed(cut):
    """Cut off anywhere, a user task is noticed: as cut, or as it was when only its end is gone."""
    line = task_line(3)
    kept = line[: min(cut, len(line) - 2)]
    if kept.strip():
        assert len(tasks.lines([kept + b"\n"])) == 1


@given(st.lists(st.sampled_from(["task", "other", "broken"]), max_size=30))
def test_lines_and_single_records_are_judged_alike(kinds):
    """What the fast way through many lines gives is what each line gives by itself."""
    make = {"task": task_line, "other": other_line, "broken": lambda p: task_line(p)[:-9] + b"\n"}
    lines = [make[kind](place) for place, kind in enumerate(kinds, start=1)]
    singly = [sifted for line in lines if (sifted := tasks.one(line[:-1])) is not None]
    together = tasks.lines(lines)
    assert [type(sifted) for sifted in together] == [type(sifted) for sifted in singly]
    assert [sifted.position for sifted in together] == [sifted.position for sifted in singly]


@pytest.mark.parametrize(("told", "partition"), [(8191, 8191), (8192, 0), (9999, 0), (0, 0)])
def test_broken_text_is_of_a_partition_that_can_be(told, partition):
    """A number that no partition can have makes no lane of its own."""
    assert whose(b'{"position":7,"partitionId":%d,' % told) == (partition, 7)


def test_value_types_that_begin_alike_are_told_apart():
    """The first letter is a hint alone: a user of the identity service is no user task."""
    lines = [task_line(1, value_type="USER"), task_line(2), task_line(3, value_type="USER_TASKS")]
    assert [sifted.position for sifted in tasks.lines(lines)] == [2]
    assert [tasks.one(line) is None for line in lines] == [True, False, True]


def test_text_behind_which_nothing_stands_is_survived():
    """A record that breaks off where its value type should begin is cut off."""
    line = task_line(1)
    cut = line[: line.index(b'"valueType":"') + len(b'"valueType":"')]
    assert faults(cut + b"\n") == [(Fault.CUT_OFF, 1, -1)]
    assert isinstance(tasks.one(cut), Unreadable)
