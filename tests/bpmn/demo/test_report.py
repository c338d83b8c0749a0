from __future__ import annotations

from dataclasses import replace

import pytest

from bpmn.demo.ports import Ports
from bpmn.demo.report import events_table, invitation, table, where
from bpmn.demo.story import Ended
from bpmn.demo.tap import Exchange

SEARCH = Exchange(
    "POST",
    "/v1/incidents/search",
    b'{"filter":{"state":"ACTIVE"},"sort":null,"searchAfter":null,"size":2}',
    200,
    b'{"items":[{"key":9007199254740993}],"sortValues":[9007199254740993],"total":1}',
)
ENDED = Ended(
    process_id="page-incidents",
    key=2251799813685300,
    state="COMPLETED",
    end="Incidents counted",
    asked=(("Get a page of incidents", SEARCH),),
    variables={"incidentsByType": [{"type": "JOB_NO_RETRIES"}], "operateUrl": "http://tap"},
    took_s=0.42,
    completed=(("Look into stuck instances", {"remark": "Done."}),),
)


def test_table_shows_what_was_asked_and_answered():
    """Each task stands beside its request and its answer, the end in the last line."""
    assert table(ENDED).splitlines() == [
        " page-incidents, instance 2251799813685300 ".center(110, "─"),
        "Get a page of incidents     asked     POST /v1/incidents/search",
        '                                      {"filter": {"state": "ACTIVE"}, "size": 2}',
        "                            answered  200, 1 of 1 items",
        '                                      {"key": 9007199254740993}',
        'Look into stuck instances   completed with {"remark": "Done."}',
        '  variable incidentsByType  is        [{"type": "JOB_NO_RETRIES"}]',
        "end                                   COMPLETED at “Incidents counted” after 0.4 s",
    ]


@pytest.mark.parametrize("items", [0, 1, 50, 1000])
def test_table_fits_a_terminal(items):
    """However much was answered, no line is wider than 110 characters."""
    listed = b",".join([b'{"key":2251799813685300,"message":"' + b"a" * 300 + b'"}'] * items)
    answer = b'{"items":[' + listed + b'],"sortValues":[],"total":%d}' % items
    ended = replace(ENDED, asked=(("A task", replace(SEARCH, answered=answer)),) * 3)
    assert max(map(len, table(ended).splitlines())) <= 110


def test_an_answer_that_is_no_json_is_shown_as_text():
    """Whatever came back is shown: a diagram's XML, or the page of a proxy in the way."""
    ended = replace(ENDED, asked=(("A task", replace(SEARCH, answered=b"<html>")),))
    assert 'answered  200 "<html>"' in table(ended)


def test_a_long_text_is_shown_by_its_beginning():
    """A diagram's XML does not bury what others asked, and what is left out is told."""
    text = f"<{'§' * 1000}".encode()
    shown = table(replace(ENDED, asked=(("A task", replace(SEARCH, answered=text)),)))
    assert shown.count("§") == 398
    assert "… and 603 characters more" in shown


def test_each_event_is_a_line():
    """What happened to which task of which instance, and who has it when somebody does."""
    event = {
        "id": "7",
        "intent": "CREATED",
        "elementId": "look",
        "processDefinitionId": "p",
        "processInstanceKey": "9",
        "assignee": "",
    }
    assert events_table(
        [event, event | {"intent": "ASSIGNED", "assignee": "ann"}]
    ).splitlines() == [
        " events at the App Integrations backend ".center(110, "─"),
        "look                        created   user task 7 of p, instance 9",
        "look                        assigned  user task 7 of p, instance 9, assignee ann",
    ]


def test_taken_ports_are_told():
    """Nobody wonders why the documented addresses do not answer."""
    assert "taken" not in where(Ports())
    moved = where(Ports.counted_from(30000))
    assert moved.startswith("A documented port is taken")
    assert "http://localhost:30002" in moved


def test_invitation_names_what_a_task_needs():
    """With --stay a user reads the very values that a task of theirs asks for."""
    text = invitation(Ports())
    for value in ("http://localhost:26500", "http://localhost:8081", "operate", "secret"):
        assert value in text
