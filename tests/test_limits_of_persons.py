"""Limits count for persons: deleting the account and coming back gives nobody new tries."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.base import utc_now
from mvote.people.accounts import EXPORTS
from mvote.people.anchors import become_one, hold_still
from mvote.people.citizens import Citizen
from mvote.people.registering import register
from mvote.polls.guessing import BY_CITIZEN
from tests.support.people import problem
from tests.support.rooms import looked_up
from tests.support.world import Person, World

NUMBER = "+821099664411"


@pytest.fixture
def come(world: World) -> Callable[[], Person]:
    """Whoever has the number signs in."""

    def come() -> Person:
        phones = world.app.extensions["phones"]
        with Session(world.engines["api"]) as session, transaction(session):
            return world.person(register(session, number=NUMBER, phones=phones))

    return come


def _comes_back(world: World, come: Callable[[], Person], first: Person) -> Person:
    assert world.client.delete("/v1/me", headers=first.headers).status_code == 204
    second = come()
    assert second.id != first.id
    return second


def test_guesses_at_rooms_are_not_given_anew_to_a_new_account(
    world: World, come: Callable[[], Person]
) -> None:
    first = come()
    for n in range(BY_CITIZEN.most):
        assert looked_up(world, first, f"{n:08d}").status_code == 404
    assert problem(looked_up(world, first, "99999999")) == (429, "too-many-requests")
    second = _comes_back(world, come, first)
    assert problem(looked_up(world, second, "99999999")) == (429, "too-many-requests")
    assert looked_up(world, world.citizen(), "99999999").status_code == 404


def test_exports_are_not_given_anew_to_a_new_account(
    world: World, come: Callable[[], Person]
) -> None:
    first = come()
    for _ in range(EXPORTS.most):
        assert world.client.get("/v1/me/export", headers=first.headers).status_code == 200
    second = _comes_back(world, come, first)
    refused = world.client.get("/v1/me/export", headers=second.headers)
    assert problem(refused) == (429, "too-many-requests")


def test_linking_an_identity_or_joining_accounts_gives_no_new_tries(world: World) -> None:
    one, other = world.citizens(2)
    for n in range(BY_CITIZEN.most):
        assert looked_up(world, one, f"{n:08d}").status_code == 404
    with Session(world.engines["api"]) as session, transaction(session):
        citizen = session.get_one(Citizen, one.id)
        citizen.identity_hash, citizen.identity_confirmed_at = bytes(32), utc_now()
    assert problem(looked_up(world, one, "99999999")) == (429, "too-many-requests")
    with Session(world.engines["api"]) as session, transaction(session):
        hold_still(session)
        become_one(session, session.get_one(Citizen, one.id), session.get_one(Citizen, other.id))
    assert problem(looked_up(world, other, "99999999")) == (429, "too-many-requests")
