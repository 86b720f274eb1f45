"""The polls I took part in: that, never what; and what deleting an account leaves."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.people.registering import register
from tests.support.world import Person, World


def _mine(world: World, person: Person, query: str = "") -> list[str]:
    answer = world.client.get(f"/v1/me/participations{query}", headers=person.headers)
    assert answer.status_code == 200
    assert all(set(item) == {"poll_id", "title", "status", "closes_at", "closed_at"}
               for item in answer.get_json()["items"])  # fmt: skip
    return [item["poll_id"] for item in answer.get_json()["items"]]


def test_a_citizen_sees_the_polls_they_took_part_in_newest_first_and_no_others(
    world: World,
) -> None:
    officer = world.officer()
    polls = [world.open_poll(officer) for _ in range(3)]
    voter, other = world.citizens(2)
    for poll in (polls[0], polls[2]):
        world.cast(poll, voter)
    world.cast(polls[1], other)
    assert _mine(world, voter) == [polls[2]["id"], polls[0]["id"]]
    assert _mine(world, voter, "?limit=1") == [polls[2]["id"]]
    assert _mine(world, other) == [polls[1]["id"]]


def test_a_list_goes_on_behind_many_polls_that_one_did_not_take_part_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call looks at so many polls; whoever took part in few asks again where it stopped."""
    monkeypatch.setattr("mvote.polls.participations.CHUNK", 2)
    monkeypatch.setattr("mvote.polls.participations.MOST_LOOKED_AT", 2)
    officer, voter = world.officer(), world.citizen()
    first, *_ = [world.open_poll(officer) for _ in range(5)]
    world.cast(first, voter)
    found: list[str] = []
    pages, cursor = 0, ""
    while pages == 0 or cursor:
        page = world.client.get(
            f"/v1/me/participations?cursor={cursor}" if cursor else "/v1/me/participations",
            headers=voter.headers,
        ).get_json()
        found += [item["poll_id"] for item in page["items"]]
        pages, cursor = pages + 1, page["next_cursor"]
    assert (found, pages) == ([first["id"]], 3)
    export = world.client.get("/v1/me/export", headers=voter.headers).get_json()
    assert export["participations"] == [{"poll_id": first["id"]}]


def test_once_the_roll_key_is_destroyed_no_participation_can_be_tied_to_a_person(
    world: World,
) -> None:
    poll, voter = world.open_poll(), world.citizen()
    world.cast(poll, voter)
    world.wiring.keystore.destroy(f"poll/{poll['id'].replace('-', '')}/V")
    world.wiring.box.keys.forget(uuid.UUID(poll["id"]))
    assert _mine(world, voter) == []


def test_deleting_the_account_and_coming_back_with_the_same_number_does_not_vote_twice(
    world: World,
) -> None:
    number = "+821099887766"
    phones = world.app.extensions["phones"]
    poll = world.open_poll()

    def come() -> Person:
        with Session(world.engines["api"]) as session, transaction(session):
            return world.person(register(session, number=number, phones=phones))

    first, other = come(), world.citizen()
    assert world.cast(poll, other).status_code == 201
    assert world.cast(poll, first).status_code == 201
    assert world.client.delete("/v1/me", headers=first.headers).status_code == 204
    second = come()
    assert second.id != first.id
    again = world.cast(poll, second)
    assert (again.status_code, again.get_json()["code"]) == (409, "already-voted")
    assert world.count("participation") == 2
    # by then the number may be somebody else's, whom it is not told
    assert (_mine(world, other), _mine(world, second)) == ([poll["id"]], [])
    after = world.open_poll()
    assert world.cast(after, second).status_code == 201
    assert _mine(world, second) == [after["id"]]


def test_the_token_of_a_deleted_account_casts_nothing(world: World) -> None:
    poll, voter = world.open_poll(), world.citizen()
    world.client.delete("/v1/me", headers=voter.headers)
    refused = world.cast(poll, voter)
    assert (refused.status_code, refused.get_json()["code"]) == (401, "token-invalid")
    assert world.count("participation") == 0


def test_a_poll_that_ended_before_the_account_was_made_is_not_told_to_it(world: World) -> None:
    """What was left behind counts no more then: the anchor is that of the number again."""
    number, phones = "+821099887755", world.app.extensions["phones"]
    poll = world.open_poll()
    with Session(world.engines["api"]) as session, transaction(session):
        first = world.person(register(session, number=number, phones=phones))
    assert world.cast(poll, first).status_code == 201
    assert _mine(world, first) == [poll["id"]]
    world.end_voting(poll)
    assert world.client.delete("/v1/me", headers=first.headers).status_code == 204
    with Session(world.engines["api"]) as session, transaction(session):
        second = world.person(register(session, number=number, phones=phones))
    assert _mine(world, second) == []
