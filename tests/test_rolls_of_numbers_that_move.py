"""Each number on a roll votes once, whoever has it by then, and however often it moves."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.base import utc_now
from mvote.people.citizens import Citizen
from mvote.polls.rolls import entries
from tests.support.people import problem
from tests.support.rolls import bearer, change, csv_of, leave, number, opened, send_roll
from tests.support.world import Person, World

LISTED, UNLISTED, SPARE = 1, 501, 502


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    """A poll that asks one number."""
    officer = world.officer()
    draft = world.draft(officer, eligibility={"roll": True})
    assert send_roll(world, draft, officer, csv_of([number(LISTED)])).status_code in (200, 201)
    opened(world, draft, officer)
    return draft


def answer(world: World, poll: dict[str, Any], who: Person) -> tuple[int, str | None]:
    cast = world.cast(poll, who)
    return (201, None) if cast.status_code == 201 else problem(cast)


def test_who_changes_their_number_stays_on_the_roll(world: World, poll: dict[str, Any]) -> None:
    voter = bearer(world, LISTED)
    change(world, voter, SPARE)
    assert answer(world, poll, voter) == (201, None)
    assert answer(world, poll, bearer(world, LISTED)) == (409, "already-voted")


@pytest.mark.parametrize(
    "go", [lambda w, who: change(w, who, SPARE), leave], ids=["moves", "leaves"]
)
def test_who_takes_a_number_after_the_opening_is_not_on_the_roll_by_it(
    world: World, poll: dict[str, Any], go: Any
) -> None:
    voter, other = bearer(world, LISTED), bearer(world, UNLISTED)
    assert answer(world, poll, voter) == (201, None)
    go(world, voter)
    change(world, other, LISTED)
    assert answer(world, poll, other) == (403, "not-eligible")
    change(world, other, UNLISTED)
    assert answer(world, poll, bearer(world, LISTED)) == (409, "already-voted")
    assert world.count("participation") == 1


def test_by_the_number_alone_one_entry_of_a_roll_would_vote_twice(
    world: World, poll: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: whoever has the number now is on the roll."""
    by_number = b"SELECT 1, phone_hash FROM citizen WHERE id = ANY (%(citizen_ids)s::uuid[])"
    monkeypatch.setattr(entries, "_PHONE_HASHES", by_number)
    voter, other = bearer(world, LISTED), bearer(world, UNLISTED)
    assert answer(world, poll, voter) == (201, None)
    change(world, voter, SPARE)
    change(world, other, LISTED)
    assert answer(world, poll, other) == (201, None)


def test_somebody_without_a_number_is_on_no_roll_of_numbers_until_one_is_confirmed(
    world: World, poll: dict[str, Any]
) -> None:
    with Session(world.engines["api"]) as session, transaction(session):
        made = Citizen(id=uuid.uuid4(), identity_hash=bytes(32), identity_confirmed_at=utc_now())
        session.add(made)
        session.flush()
        identity_id = made.id
    person = world.person(identity_id)
    assert answer(world, poll, person) == (403, "not-eligible")
    change(world, person, LISTED)  # the first that it ever confirmed: nobody voted by it
    assert answer(world, poll, person) == (201, None)
