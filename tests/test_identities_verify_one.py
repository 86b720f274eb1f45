"""One verified identity verifies one account at a time, however it is moved about."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.people.attributes import Attribute
from mvote.people.citizens import Citizen
from mvote.people.deleting import delete_account
from mvote.polls.participations import last_poll_ends
from tests.support.identities import IdentityProvider
from tests.support.people import a_citizen, problem
from tests.support.world import World
from tests.test_identities import come, headers_of, id_token, me, provider

__all__ = ["provider"]
TOLD = {"birthdate": "1990", "gender": "male"}


def link(world: World, provider: IdentityProvider, headers: Any, **more: Any) -> Any:
    body = id_token(world, provider, "somebody", **TOLD) | more
    return world.client.put("/v1/me/identity", json=body, headers=headers)


def verified(session: Session) -> list[Any]:
    """The accounts that a provider vouches for."""
    session.rollback()
    vouched_for = Attribute.verified_issuer.is_not(None)
    return list(session.scalars(select(Attribute.citizen_id).where(vouched_for).distinct()))


def test_accounts_that_are_joined_with_an_identitys_own_are_not_verified_by_it(
    world: World, provider: IdentityProvider, session: Session
) -> None:
    theirs = me(world, headers_of(come(world, provider, "somebody", **TOLD)))["id"]
    for _ in range(3):
        person = a_citizen(world.app, session)
        assert link(world, provider, person.headers, merge=True).status_code == 200
        assert me(world, person.headers)["attributes"] == {}
    assert [str(each) for each in verified(session)] == [theirs]


def test_what_an_identity_vouched_for_goes_when_it_is_given_up(
    world: World, provider: IdentityProvider, session: Session
) -> None:
    first, second = (a_citizen(world.app, session) for _ in range(2))
    for person in (first, second):
        assert link(world, provider, person.headers).status_code == 200
        assert verified(session) == [person.id]
        if person is first:
            answer = world.client.delete("/v1/me/identity", headers=person.headers)
            assert answer.status_code == 204
            assert (verified(session), me(world, person.headers)["attributes"]) == ([], {})


@pytest.mark.parametrize("how", ["given-up", "deleted"])
def test_an_identity_that_voted_verifies_no_other_account_while_the_poll_is_open(
    world: World, provider: IdentityProvider, session: Session, how: str
) -> None:
    first, second = (a_citizen(world.app, session) for _ in range(2))
    assert link(world, provider, first.headers).status_code == 200
    poll = world.open_poll()
    assert world.cast(poll, world.person(first.id)).status_code == 201
    if how == "given-up":
        world.client.delete("/v1/me/identity", headers=first.headers)
    else:
        with transaction(session):
            citizen = session.get_one(Citizen, first.id)
            delete_account(session, citizen=citizen, last_poll_ends=last_poll_ends)
    refused = link(world, provider, second.headers)
    assert problem(refused) == (409, "identity-in-use")
    assert "merge" not in refused.get_json()["next_step"]  # there is nobody to be joined with
    assert (verified(session), me(world, second.headers)["identity_confirmed_at"]) == ([], None)
    world.end_voting(poll)
    assert link(world, provider, second.headers).status_code == 200
