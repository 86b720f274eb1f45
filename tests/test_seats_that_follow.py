"""Whose seat a reserve takes who moves up is public, and reserves are told of their seats."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.budget.telling.telling import tell
from tests.support.appeals import below_the_floor
from tests.support.committees import EVEN, Hall, person_of, seats_in
from tests.support.proposals import as_owner
from tests.support.world import Person, World

BOTH_KINDS = EVEN | {"reserve_quotas": EVEN["quotas"]}
"""One woman and one man wait as reserves, too."""
OF_A_FILLED_SEAT = (
    "INSERT INTO seat (id, committee_id, number, kind, has_vote, is_chair, citizen_id, pseudonym,"
    " state, starts_on, ends_on, filled_at, predecessor_id)"
    " SELECT gen_random_uuid(), seat.committee_id, 99, 'citizen', true, false, a.citizen_id,"
    " r.pseudonym, 'filled', starts_on, ends_on, now(), seat.id FROM seat"
    " JOIN committee_reserve r USING (committee_id)"
    " JOIN application a ON (a.committee_id, a.pseudonym) = (r.committee_id, r.pseudonym)"
    " WHERE seat.state = 'filled' LIMIT 1"
)


def drawn(hall: Hall, people: list[Person]) -> str:
    """A committee of a woman and a man, with as many reserves."""
    committee = hall.formed(**BOTH_KINDS)
    hall.applied(committee, *people)
    hall.let_days_pass(committee, 13)
    answer = hall.draw(committee, targets=BOTH_KINDS)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return committee


def inbox(world: World, person: Person, language: str = "en") -> list[dict[str, Any]]:
    """What the person was told, once the keeper has told everything."""
    with Session(world.engines["api"]) as session, transaction(session):
        tell(session)
    headers = person.headers | {"Accept-Language": language}
    return list(world.client.get("/v1/me/inbox", headers=headers).get_json()["items"])


def genders(hall: Hall, committee: str) -> dict[str, Any]:
    """What is published of each applicant."""
    pool = hall.call("GET", f"committees/{committee}/draw/pool.json").get_json()["persons"]
    return {each["pseudonym"]: each["categories"]["gender"] for each in pool}


@pytest.mark.parametrize("order", [1, -1], ids=["in their order", "the last seat first"])
def test_whoever_moves_up_takes_the_seat_of_one_who_counted_for_the_same_quotas(
    hall: Hall, people: list[Person], order: int
) -> None:
    committee = drawn(hall, people)
    left = seats_in(hall, committee)
    for seat in left[::order]:  # for an account that is deleted nobody moves up before it is asked
        member = person_of(hall, committee, seat["pseudonym"], people)
        assert hall.world.client.delete("/v1/me", headers=member.headers).status_code == 204
        people.remove(member)
    moved = hall.call("POST", f"committees/{committee}/move-up", hall.officer).get_json()["seats"]
    gender = genders(hall, committee)
    number = {each["id"]: each for each in left}
    pairs = [(number[each["predecessor_id"]], each) for each in moved[2:]]
    assert len(pairs) == len({before["id"] for before, _ in pairs}) == 2
    assert all(gender[one["pseudonym"]] == gender[other["pseudonym"]] for one, other in pairs)
    assert [each["predecessor_id"] for each in moved[:2]] == [None, None]


def test_who_moved_up_is_told_of_their_seat_and_nobody_else(
    hall: Hall, people: list[Person]
) -> None:
    committee = drawn(hall, people)
    seat = seats_in(hall, committee)[0]
    leaving = person_of(hall, committee, seat["pseudonym"], people)
    assert hall.call("DELETE", f"committees/{committee}/seats/me", leaving).status_code == 204
    [taken] = [each for each in hall.show(committee)["seats"] if each["predecessor_id"]]
    newcomer = person_of(hall, committee, taken["pseudonym"], people)
    [item] = inbox(hall.world, newcomer)
    assert (item["kind"], item["seat_id"]) == ("moved_up", taken["id"])
    assert (taken["predecessor_id"], taken["number"]) == (seat["id"], 3)
    assert item["message"].endswith(f"yours is seat 3 of 예산위원회, after seat {seat['number']}.")
    assert all(inbox(hall.world, each) == [] for each in people if each is not newcomer)


def test_the_database_lets_nobody_take_a_seat_that_somebody_has(
    hall: Hall, people: list[Person]
) -> None:
    drawn(hall, people)
    with as_owner(hall.world) as owner:
        owner.execute("UPDATE committee_reserve SET state = 'moved_up'")
        with pytest.raises(psycopg.Error, match="that fell vacant"):
            owner.execute(OF_A_FILLED_SEAT)


def test_a_reserve_is_told_what_they_are_sworn_in_for(world: World) -> None:
    court, proposal, reserve = below_the_floor(world)
    [item] = inbox(world, reserve)
    assert (item["kind"], item["proposal_id"]) == ("sworn_in", proposal["id"])
    [(seat_id,)] = world.rows("SELECT seat_id FROM sworn_in")
    assert item["seat_id"] == str(seat_id)
    assert item["message"].endswith("for this one item. It waits for your vote.")
    assert all(inbox(world, each) == [] for each in court.members)


def test_nobody_makes_up_that_a_reserve_was_given_a_seat(hall: Hall, people: list[Person]) -> None:
    drawn(hall, people)
    forged = text(
        "INSERT INTO bulletin (id, kind, cycle_id, seat_id, at) SELECT gen_random_uuid(),"
        " 'moved_up', cycle_id, seat.id, now() FROM seat"
        " JOIN committee ON committee.id = committee_id"
    )
    with Session(hall.world.engines["api"]) as session, pytest.raises(ProgrammingError):
        session.execute(forged)
