"""The dates of a running cycle move by two officers, in public, and only ahead of the clock."""

from __future__ import annotations

import copy
import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from mvote.base import instant, utc_now
from mvote.budget.phases import phase_now, require_phase
from tests.support.ballots import at_once
from tests.support.budgets import begin, definition_of, phase, plan, read, running
from tests.support.governing import superuser, twin
from tests.support.hostile import no_trace
from tests.support.world import Person, World


def in_days(days: int) -> str:
    return instant(utc_now().replace(microsecond=0) + dt.timedelta(days=days))


def patch(world: World, cycle: dict[str, Any], officer: Person, body: Any) -> TestResponse:
    path = f"/v1/cycles/{cycle['id']}"
    headers = officer.headers | {"If-Match": world.client.get(path).headers["ETag"]}
    return world.client.patch(path, json=body, headers=headers)


def longer(cycle: dict[str, Any], days: int = 1) -> dict[str, Any]:
    """A body in which balloting lasts longer (nothing begins at once behind it)."""
    phases = copy.deepcopy(cycle["phases"])
    ends = dt.datetime.fromisoformat(phases[2]["closes_at"]) + dt.timedelta(days=days)
    phases[2]["closes_at"] = instant(ends)
    return {"phases": phases}


def test_one_officer_alone_moves_nothing(world: World) -> None:
    cycle, officer = running(world), world.officer()
    before = read(world, cycle)
    asked = patch(world, cycle, officer, longer(cycle))
    assert asked.status_code == 202
    assert asked.get_json()["act"] == "cycle:move"
    assert patch(world, cycle, officer, longer(cycle)).status_code == 202
    assert read(world, cycle) == before


def test_a_second_officer_moves_what_was_asked_for_and_everyone_reads_it(world: World) -> None:
    cycle = running(world)
    body = longer(cycle)
    patch(world, cycle, world.officer(), body)
    moved = patch(world, cycle, world.officer(), body)
    assert moved.status_code == 200
    shown = read(world, cycle)
    assert shown["phases"] == body["phases"]
    [notice] = shown["notices"]
    assert notice["changes"] == [{
        "pointer": "/phases/2/closes_at",
        "before": cycle["phases"][2]["closes_at"],
        "after": body["phases"][2]["closes_at"],
    }]  # fmt: skip
    rows = (
        "SELECT count(*) FROM cycle_phase p JOIN cycle c ON p.cycle_id = c.id,"
        " jsonb_array_elements(c.definition -> 'phases') d WHERE d ->> 'kind' = p.kind"
        " AND (d ->> 'opens_at')::timestamptz = p.opens_at"
        " AND (d ->> 'closes_at')::timestamptz = p.closes_at"
    )
    assert world.rows(rows) == [(6,)]


def test_both_ways_to_ask_for_the_same_dates_are_one_request(world: World) -> None:
    cycle = running(world)
    body = longer(cycle)
    patch(world, cycle, world.officer(), body)
    ends = body["phases"][2]["closes_at"]
    assert phase(world, cycle, world.officer(), kind="reviewing", closes_at=ends).status_code == 200


def test_other_dates_are_another_request(world: World) -> None:
    cycle = running(world)
    patch(world, cycle, world.officer(), longer(cycle, 1))
    other = patch(world, cycle, world.officer(), longer(cycle, 2))
    assert other.status_code == 202
    assert len(other.get_json()["other_requests"]) == 1


def test_a_phase_that_begins_now_ends_the_one_before_it(world: World) -> None:
    cycle = running(world)
    shown = begin(world, cycle, "assessing")
    assert shown["phases"][0]["closes_at"] == shown["phases"][1]["opens_at"]
    assert shown["phase"] == "assessing"
    pointers = [each["pointer"] for each in shown["notices"][0]["changes"]]
    assert pointers == ["/phases/0/closes_at", "/phases/1/opens_at"]


def test_the_reason_stands_in_the_notice(world: World) -> None:
    cycle = running(world)
    why = {"ko": "장마로 늦춥니다."}
    body = {"kind": "reviewing", "closes_at": longer(cycle)["phases"][2]["closes_at"], "text": why}
    phase(world, cycle, world.officer(), **body)
    shown = phase(world, cycle, world.officer(), **body).get_json()
    assert shown["notices"][0]["text"] == why


@pytest.mark.parametrize(
    ("kind", "dates"),
    [
        ("proposing", {"opens_at": 5}),  # has begun
        ("proposing", {"closes_at": -1}),  # would have ended already
        ("proposing", {"closes_at": 300}),  # overlaps with assessing
        ("balloting", {"opens_at": -1}),
        ("reviewing", {"closes_at": 400}),
    ],
)
def test_what_has_come_does_not_move_and_nothing_moves_into_a_contradiction(
    world: World, kind: str, dates: dict[str, int]
) -> None:
    cycle = running(world)
    wanted = {name: in_days(days) for name, days in dates.items()}
    officer = world.officer()
    with no_trace(world):
        answer = phase(world, cycle, officer, kind=kind, **wanted)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid-request")


def test_a_phase_that_has_begun_is_not_begun_again(world: World) -> None:
    cycle, officer = running(world), world.officer()
    with no_trace(world):
        assert phase(world, cycle, officer, kind="proposing").status_code == 422


def test_no_phase_is_jumped_over_and_the_one_to_come_is_named(world: World) -> None:
    cycle, officer = running(world), world.officer()
    path, body = f"/v1/cycles/{cycle['id']}/phase", {"kind": "reviewing"}
    for language, named in (("en", "assessing"), ("ko", "‘검토’")):
        with no_trace(world):
            headers = officer.headers | {"Accept-Language": language}
            answer = world.client.post(path, json=body, headers=headers)
        assert answer.status_code == 422
        [error] = answer.get_json()["errors"]
        assert error["pointer"] == "/kind"
        assert named in error["detail"]


def test_dates_of_a_source_move_with_balloting_or_alone(world: World) -> None:
    cycle = running(world)
    contests = copy.deepcopy(cycle["contests"])
    source = contests[0]["sources"][1]
    closes = dt.datetime.fromisoformat(source["closes_at"]) - dt.timedelta(hours=1)
    source["closes_at"] = instant(closes)
    patch(world, cycle, world.officer(), {"contests": contests})
    assert patch(world, cycle, world.officer(), {"contests": contests}).status_code == 200
    assert read(world, cycle)["contests"] == contests


def test_nothing_but_dates_hides_in_a_move_of_dates(world: World) -> None:
    cycle, officer = running(world), world.officer()
    contests = copy.deepcopy(cycle["contests"])
    contests[0]["sources"][0]["weight"] = 99
    with no_trace(world):
        answer = patch(world, cycle, officer, longer(cycle) | {"contests": contests})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "impossible-transition")


# the database keeps it


REFUSED = (
    "UPDATE cycle SET definition = jsonb_set(definition, '{budget_limit}', '1')",
    "UPDATE cycle SET definition = definition #- '{phases,5}'",
    "UPDATE cycle SET state = 'draft'",
)


@pytest.mark.parametrize("statement", REFUSED)
def test_the_database_lets_the_web_change_nothing_of_a_running_cycle(
    world: World, session: Session, statement: str
) -> None:
    running(world)
    with no_trace(world), pytest.raises(IntegrityError):
        session.execute(text(statement))
    session.rollback()


def test_without_the_guard_the_web_would_change_a_running_cycle(
    world: World, session: Session, owner: Session
) -> None:
    running(world)
    with twin(owner, "cycle_guard", "AND NOT by_two_officers", "AND false"):
        session.execute(text(REFUSED[0]))
        session.commit()
    assert world.rows("SELECT budget_limit FROM cycle") == [(1,)]


def _granted(world: World, cycle: dict[str, Any]) -> dict[str, Any]:
    """What the database's function is called with, once an officer has asked."""
    asked = patch(world, cycle, world.officer(), longer(cycle)).get_json()
    return {"id": cycle["id"], "approval": asked["approval_id"], "by": world.officer().id}


MOVE = text("SELECT move_cycle(:id, :approval, :by)")


def test_the_database_moves_no_date_that_came_while_the_request_waited(
    world: World, session: Session
) -> None:
    cycle = running(world)
    bound = _granted(world, cycle)
    earlier = (
        "UPDATE cycle SET definition = jsonb_set(definition, '{phases,2,closes_at}',"
        " to_jsonb(instant(clock_timestamp() - interval '1 second')))"
    )
    with superuser(world) as connection:
        connection.execute(earlier)
    with no_trace(world), pytest.raises(IntegrityError, match="lie ahead"):
        session.execute(MOVE, bound)
    session.rollback()


def test_the_officer_who_asked_does_not_grant(world: World, session: Session) -> None:
    cycle, officer = running(world), world.officer()
    asked = patch(world, cycle, officer, longer(cycle)).get_json()
    with no_trace(world), pytest.raises(IntegrityError):
        session.execute(
            MOVE, {"id": cycle["id"], "approval": asked["approval_id"], "by": officer.id}
        )
    session.rollback()


def test_of_officers_who_are_second_at_the_same_moment_one_moves(world: World) -> None:
    cycle = running(world)
    body = {"kind": "reviewing", "closes_at": longer(cycle)["phases"][2]["closes_at"]}
    officers = [world.officer() for _ in range(7)]
    assert phase(world, cycle, officers[0], **body).status_code == 202

    def second(officer: Person) -> int:
        path = f"/v1/cycles/{cycle['id']}/phase"
        client = world.app.test_client()
        return client.post(path, json=body, headers=officer.headers).status_code

    assert at_once(second, officers[1:], threads=6) == [200] * 6
    assert (world.count("cycle_notice"), world.count("approval")) == (1, 1)


def test_while_somebody_acts_in_a_phase_its_dates_do_not_move(
    world: World, session: Session, owner: Session
) -> None:
    cycle_id = uuid.UUID(running(world)["id"])
    lock = text("SELECT 1 FROM cycle FOR UPDATE NOWAIT")
    require_phase(session, cycle_id, "proposing")
    with pytest.raises(OperationalError, match="could not obtain lock"):
        owner.execute(lock)
    owner.rollback()
    session.rollback()
    phase_now(session, cycle_id)  # to look is not to act
    assert owner.execute(lock).scalar_one() == 1


def test_two_phases_at_once_are_refused_by_the_database_itself(
    world: World, session: Session
) -> None:
    plan(world, definition_of(2015), world.officer())
    overlapping = text(
        "UPDATE cycle SET definition = jsonb_set(definition, '{phases,1,opens_at}',"
        " '\"2015-03-01T00:00:00Z\"')"
    )
    with no_trace(world), pytest.raises(IntegrityError, match="one_at_a_time"):
        session.execute(overlapping)
    session.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cycle_phase SET closes_at = 'infinity'",
        "DELETE FROM cycle_phase",
        "INSERT INTO cycle_notice SELECT id, 0, 'x' FROM cycle",
        "DELETE FROM cycle",
        "UPDATE cycle SET started_at = NULL",
    ],
)
def test_the_web_writes_neither_phases_nor_notices_and_deletes_no_cycle(
    world: World, session: Session, statement: str
) -> None:
    running(world)
    with no_trace(world), pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text(statement))
    session.rollback()
