"""Meetings of committees: called by the chair or an officer, attended, minuted, in public."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pytest
from psycopg.errors import Error as DatabaseError
from werkzeug.test import TestResponse

from mvote.base import instant, utc_now
from tests.support.committees import Hall, seats_in
from tests.support.hostile import no_trace
from tests.support.proposals import as_owner, refused
from tests.support.world import Person


@pytest.fixture
def chair(hall: Hall) -> Person:
    return hall.citizen()


@pytest.fixture
def committee(hall: Hall, chair: Person) -> str:
    """A committee of two, one of them in the chair."""
    found = str(hall.form(draw=None).get_json()["id"])
    for person in (chair, hall.citizen()):
        body = {"citizen_id": str(person.id), "kind": "citizen", "has_vote": True}
        hall.call("POST", f"committees/{found}/seats", hall.officer, **body)
    seat = seats_in(hall, found)[0]["id"]
    hall.call("PUT", f"committees/{found}/chair", hall.officer, seat_id=seat)
    return found


def call(hall: Hall, committee: str, who: Person, **changes: Any) -> TestResponse:
    now = utc_now()
    body = {
        "starts_at": instant(now + dt.timedelta(hours=1)),
        "ends_at": instant(now + dt.timedelta(hours=3)),
        "place": "시청 대회의실",
        "agenda": [{"text": "분과 심사"}],
    }
    return hall.call("POST", f"committees/{committee}/meetings", who, **body | changes)


def called(hall: Hall, committee: str, who: Person, **changes: Any) -> str:
    answer = call(hall, committee, who, **changes)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.get_json()["id"])


def begin(hall: Hall, meeting: str) -> None:
    """Let it have begun an hour ago."""
    with psycopg.connect(hall.world.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE meeting SET starts_at = starts_at - interval '2 hours' WHERE id = %s", [meeting]
        )


def test_the_chair_or_an_officer_calls_a_meeting_and_everybody_sees_its_agenda(
    hall: Hall, committee: str, chair: Person
) -> None:
    first = called(hall, committee, chair)
    second = called(hall, committee, hall.officer, form="online", place=None)
    path = f"committees/{committee}/meetings"
    listed = hall.call("GET", path).get_json()["items"]
    assert [each["id"] for each in listed] == [second, first]
    assert listed[0]["agenda"] == [{"text": {"ko": "분과 심사"}, "proposal_id": None}]
    page = hall.call("GET", f"{path}?limit=1").get_json()
    rest = hall.call("GET", f"{path}?limit=1&cursor={page['next_cursor']}").get_json()
    assert ([each["id"] for each in rest["items"]], rest["next_cursor"]) == ([first], None)


def test_members_and_other_departments_call_none(hall: Hall, committee: str) -> None:
    strangers = [hall.citizen(), hall.world.officer()]
    with no_trace(hall.world):
        for who in strangers:
            assert refused(call(hall, committee, who)) == (403, "not-allowed")


def test_a_meeting_lies_ahead_is_somewhere_and_speaks_of_the_cycles_proposals(
    hall: Hall, committee: str, chair: Person
) -> None:
    over = {"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-01-01T01:00:00Z"}
    backwards = {"starts_at": "2099-01-02T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z"}
    strange = {"agenda": [{"text": "?", "proposal_id": committee}]}
    wrongs: list[dict[str, Any]] = [over, backwards, {"place": None}, {"agenda": []}, strange]
    with no_trace(hall.world):
        for wrong in wrongs:
            answer = call(hall, committee, chair, **wrong)
            assert refused(answer) == (422, "invalid-request")


def test_who_was_there_is_recorded_once_it_has_begun_and_stands_with_the_minutes(
    hall: Hall, committee: str, chair: Person
) -> None:
    meeting, seats = called(hall, committee, chair), seats_in(hall, committee)
    stranger = hall.citizen()
    there = {"seats": [each["id"] for each in seats]}
    path = f"meetings/{meeting}"
    with no_trace(hall.world):
        early = hall.call("PUT", f"{path}/attendance", chair, **there)
        assert refused(early) == (409, "impossible-transition")
    begin(hall, meeting)
    assert hall.call("PUT", f"{path}/attendance", chair, **there).status_code == 200
    only = hall.call("PUT", f"{path}/attendance", chair, seats=[seats[0]["id"]]).get_json()
    assert [each["number"] for each in only["attendance"]] == [1]
    for words in ("의결함", "정정"):
        assert hall.call("POST", f"{path}/minutes", hall.officer, text=words).status_code == 201
    shown = hall.call("GET", path).get_json()
    assert [each["text"]["ko"] for each in shown["minutes"]] == ["의결함", "정정"]
    with no_trace(hall.world):
        late = hall.call("PUT", f"{path}/attendance", chair, **there)
        assert refused(late) == (409, "impossible-transition")
        answer = hall.call("POST", f"{path}/minutes", stranger, text="?")
        assert refused(answer) == (403, "not-allowed")


def test_attendance_names_seats_of_this_committee(
    hall: Hall, committee: str, chair: Person
) -> None:
    meeting = called(hall, committee, chair)
    begin(hall, meeting)
    with no_trace(hall.world):
        answer = hall.call("PUT", f"meetings/{meeting}/attendance", chair, seats=[committee])
        assert refused(answer) == (422, "invalid-request")


def test_a_meeting_is_called_off_with_a_reason_before_it_begins(
    hall: Hall, committee: str, chair: Person
) -> None:
    meeting, begun = called(hall, committee, chair), called(hall, committee, chair)
    begin(hall, begun)
    off = hall.call("POST", f"meetings/{meeting}/call-off", chair, reason="태풍").get_json()
    assert off["why_called_off"] == {"ko": "태풍"}
    with no_trace(hall.world):
        for each in (meeting, begun):
            answer = hall.call("POST", f"meetings/{each}/call-off", chair, reason="태풍")
            assert refused(answer) == (409, "impossible-transition")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE meeting SET starts_at = now()",
        "DELETE FROM meeting",
        "UPDATE meeting_agenda SET text = '{}'",
        "UPDATE meeting_minutes SET text = '{}'",
        "DELETE FROM meeting_attendance",
    ],
)
def test_what_was_called_and_minuted_never_changes(
    hall: Hall, committee: str, chair: Person, change: str
) -> None:
    meeting = called(hall, committee, chair)
    begin(hall, meeting)
    seat = seats_in(hall, committee)[0]["id"]
    hall.call("PUT", f"meetings/{meeting}/attendance", chair, seats=[seat])
    hall.call("POST", f"meetings/{meeting}/minutes", chair, text="의결함")
    with pytest.raises(DatabaseError), as_owner(hall.world) as connection:
        connection.execute(change)
