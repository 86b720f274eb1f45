"""Reports that are refused: each by its rule, and nothing is written."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.people.anchors import become_one, hold_still
from mvote.people.citizens import Citizen
from tests.support.people import a_number, problem
from tests.support.reporting import citizens_poll, decided, reported, try_report
from tests.support.rooms import PASSWORD, looked_up
from tests.support.world import Person, World, new_key, tomorrow
from tests.test_citizens_polls import with_number


@pytest.fixture
def author(world: World) -> Person:
    return world.citizen()


@pytest.fixture
def poll(world: World, author: Person) -> dict[str, Any]:
    return citizens_poll(world, author)


def kept(world: World) -> list[int]:
    return [world.count(each) for each in ("report", "moderation_case", "journal", "bulletin")]


def test_a_person_reports_a_poll_once(world: World, poll: dict[str, Any]) -> None:
    [person] = reported(world, poll, 1)
    before = kept(world)
    for more in ({}, {"headers": {"Idempotency-Key": new_key()}}, {"ground": "other"}):
        assert problem(try_report(world, poll, person, **more)) == (409, "already-reported")
    assert kept(world) == before


def test_who_deletes_the_account_and_comes_back_has_reported(
    world: World, poll: dict[str, Any]
) -> None:
    number = a_number()
    person = with_number(world, number)
    assert try_report(world, poll, person, text="내 번호는 …").status_code == 201
    assert world.client.delete("/v1/me", headers=person.headers).status_code == 204
    assert world.rows("SELECT text FROM report") == [(None,)]
    again = with_number(world, number)
    assert problem(try_report(world, poll, again)) == (409, "already-reported")


def test_two_accounts_of_one_person_report_a_poll_once(world: World) -> None:
    one, other = world.citizens(2)
    make_one(world, one, other)
    poll = citizens_poll(world)
    assert try_report(world, poll, one).status_code == 201
    assert problem(try_report(world, poll, other)) == (409, "already-reported")


def test_no_new_anchor_reports_a_poll_again_before_it_begins(world: World) -> None:
    """Joining another account, deleting this one and coming back renews the anchor: three times."""
    number, elder = a_number(), world.citizen()
    person = with_number(world, number)
    poll = citizens_poll(world, **tomorrow())
    assert try_report(world, poll, person).status_code == 201
    for _ in range(3):
        make_one(world, elder, person)
        assert world.client.delete("/v1/me", headers=person.headers).status_code == 204
        person = with_number(world, number)
        assert problem(try_report(world, poll, person)) == (409, "already-reported")
    assert world.count("report") == 1


def make_one(world: World, one: Person, other: Person) -> None:
    with Session(world.engines["api"]) as session, transaction(session):
        hold_still(session)
        become_one(session, session.get_one(Citizen, one.id), session.get_one(Citizen, other.id))


def test_nobody_reports_a_poll_of_their_own_by_another_account(world: World) -> None:
    one, other = world.citizens(2)
    poll = citizens_poll(world, one)
    make_one(world, one, other)
    before = kept(world)
    assert problem(try_report(world, poll, other)) == (403, "own-poll")
    assert kept(world) == before


def test_nobody_reports_a_poll_of_their_own(
    world: World, poll: dict[str, Any], author: Person
) -> None:
    before = kept(world)
    assert problem(try_report(world, poll, author)) == (403, "own-poll")
    assert kept(world) == before


def test_whoever_has_confirmed_nothing_does_not_report(world: World, poll: dict[str, Any]) -> None:
    person = Person(uuid.uuid4(), "")
    with Session(world.engines["api"]) as session, transaction(session):
        session.add(
            Citizen(id=person.id, identity_hash=b"i" * 32, identity_confirmed_at=poll_time(world))
        )
    before = kept(world)
    answer = try_report(world, poll, world.person(person.id))
    assert (answer.status_code, answer.get_json()["rule"]) == (403, "confirmed")
    assert kept(world) == before


def poll_time(world: World) -> Any:
    return world.rows("SELECT now()")[0][0]


def test_what_one_may_not_know_of_is_not_found(world: World, author: Person) -> None:
    stranger = world.citizen()
    draft = world.draft(author)
    room = world.open_poll(room_password=PASSWORD)
    before = kept(world)
    for hidden in (draft, room, {"id": str(uuid.uuid4())}):
        assert problem(try_report(world, hidden, stranger)) == (404, "not-found")
    assert problem(try_report(world, draft, author)) == (404, "not-found")
    assert kept(world) == before


def test_whoever_has_come_in_reports_a_private_poll_and_the_officer_sees_it(world: World) -> None:
    room = citizens_poll(world, room_password=PASSWORD)
    for guest in world.citizens(world.settings.reports_to_hold):
        token = looked_up(world, guest, room["room_number"]).get_json()["room_pass"]
        answer = try_report(world, room, guest, headers={"Room-Pass": token})
        assert answer.status_code == 201
    [case] = world.client.get("/v1/moderation", headers=world.officer().headers).get_json()["items"]
    assert (case["poll"]["id"], case["state"]) == (room["id"], "reported")
    assert problem(decided(world, room, "keep")) == (409, "never-held-back")


@pytest.mark.parametrize(
    "wrong",
    [
        {"ground": "Personal-data"},
        {"ground": "personal\u2010data"},
        {"ground": "advertis\u0456ng"},
        {"ground": None},
        {"text": "\x00"},
        {"text": "가" * 1_001},
        {"text": ""},
        {"text": {"ko": "왜"}},
        {"poll_id": "1"},
        {"reporter": "me"},
    ],
    ids=["case", "hyphen", "cyrillic", "null", "nul", "long", "empty", "object", "id", "more"],
)
def test_a_report_of_another_shape_is_refused(
    world: World, poll: dict[str, Any], wrong: dict[str, Any]
) -> None:
    before = kept(world)
    body = {"poll_id": poll["id"], "ground": "other"} | wrong
    answer = world.client.post("/v1/reports", json=body, headers=world.citizen().headers)
    assert problem(answer) == (422, "invalid-request")
    assert kept(world) == before


def test_a_person_reports_so_many_polls_a_day(world: World) -> None:
    person, officer = world.citizen(), world.officer()
    for _ in range(3):
        world.stock_keys()
        assert try_report(world, world.open_poll(officer), person).status_code == 201
    last = world.open_poll(officer)
    before = kept(world)
    answer = try_report(world, last, person)
    assert problem(answer) == (429, "too-many-requests")
    assert int(answer.headers["Retry-After"]) >= 23 * 3600
    assert kept(world) == before
