"""Identities by an outside provider over HTTP: signing in, linking, voting, giving up."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mvote.base import utc_now
from mvote.errors import DomainError
from mvote.people.citizens import Anchor, Citizen
from mvote.people.identities import IdentityNonce, sign_in_with, spend_nonce
from mvote.people.signing_in import SignedIn
from tests.support.identities import CLIENT, ISSUER, IdentityProvider, a_nonce, hall_of, proven
from tests.support.people import a_citizen, problem
from tests.support.racing import race
from tests.support.world import World

Answer = Any


@pytest.fixture
def provider(world: World, monkeypatch: pytest.MonkeyPatch) -> IdentityProvider:
    made = IdentityProvider()
    monkeypatch.setitem(world.app.extensions, "identity_provider", made.provider)
    return made


def nonce_of(world: World) -> str:
    answer = world.client.post("/v1/auth/identity/nonces")
    assert answer.status_code == 201
    asked = answer.get_json()
    assert (asked["issuer"], asked["client_id"]) == (ISSUER, CLIENT)
    return str(asked["nonce"])


def id_token(world: World, provider: IdentityProvider, who: str, **claims: Any) -> dict[str, Any]:
    nonce = nonce_of(world)
    return {"id_token": provider.token(who, nonce, **claims), "nonce": nonce}


def come(world: World, provider: IdentityProvider, who: str, **claims: Any) -> Answer:
    return world.client.post("/v1/auth/identity", json=id_token(world, provider, who, **claims))


def headers_of(answer: Answer) -> dict[str, str]:
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.get_json()['access_token']}"}


def me(world: World, headers: dict[str, str]) -> dict[str, Any]:
    return dict(world.client.get("/v1/me", headers=headers).get_json())


def link(world: World, provider: IdentityProvider, who: str, headers: Any, **more: Any) -> Answer:
    body = id_token(world, provider, who) | more
    return world.client.put("/v1/me/identity", json=body, headers=headers)


def count(session: Session, table: type[Any]) -> int:
    session.rollback()
    return session.scalars(select(func.count()).select_from(table)).one()


def test_whoever_comes_with_an_identity_has_one_account(
    world: World, provider: IdentityProvider, session: Session
) -> None:
    first, again = come(world, provider, "somebody"), come(world, provider, "somebody")
    shown = me(world, headers_of(first))
    assert (shown["phone"], shown["id"]) == (None, me(world, headers_of(again))["id"])
    assert shown["identity_confirmed_at"] is not None
    assert me(world, headers_of(come(world, provider, "another")))["id"] != shown["id"]
    assert (count(session, Citizen), count(session, Anchor)) == (2, 2)
    how = world.client.get("/v1/me/sessions", headers=headers_of(first)).get_json()["items"]
    assert {each["how"] for each in how} == {"identity"}


def test_who_somebody_is_stands_nowhere_in_clear(
    world: World, provider: IdentityProvider, owner: Session
) -> None:
    come(world, provider, "a-name-at-the-provider")
    tables = (Citizen, Anchor)
    rows = [row for table in tables for row in owner.execute(select(table.__table__))]
    assert len(rows) == 2
    assert b"a-name-at-the-provider" not in b"".join(
        part for row in rows for part in row if isinstance(part, bytes)
    )


def test_a_nonce_is_good_once(world: World, provider: IdentityProvider, session: Session) -> None:
    body = id_token(world, provider, "somebody")
    assert world.client.post("/v1/auth/identity", json=body).status_code == 201
    again = world.client.post("/v1/auth/identity", json=body)
    assert problem(again) == (401, "identity-invalid")
    assert (count(session, IdentityNonce), count(session, Citizen)) == (0, 1)


def test_a_nonce_that_we_did_not_make_is_refused(
    world: World, provider: IdentityProvider, session: Session
) -> None:
    body = {"id_token": provider.token("somebody", "made-up"), "nonce": "made-up"}
    refused = world.client.post("/v1/auth/identity", json=body)
    assert problem(refused) == (401, "identity-invalid")
    assert count(session, Citizen) == 0


def test_a_forged_token_writes_nothing_and_leaves_the_nonce(
    world: World, provider: IdentityProvider, session: Session
) -> None:
    nonce = nonce_of(world)
    forged = {"id_token": IdentityProvider().token("somebody", nonce), "nonce": nonce}
    refused = world.client.post("/v1/auth/identity", json=forged)
    assert problem(refused) == (401, "identity-invalid")
    assert (count(session, Citizen), count(session, IdentityNonce)) == (0, 1)
    good = {"id_token": provider.token("somebody", nonce), "nonce": nonce}
    assert world.client.post("/v1/auth/identity", json=good).status_code == 201


def test_one_nonce_used_by_many_at_once_signs_in_one(world: World, session: Session) -> None:
    nonce, hall = a_nonce(world.app, session), hall_of(world.app)
    session.commit()

    def enter(session: Session) -> SignedIn:
        who = proven("somebody")
        return sign_in_with(session, hall=hall, proven=who, nonce=nonce, device=None, now=utc_now())

    results = race(world.engines["api"], 12, enter)
    assert len([each for each in results if isinstance(each, SignedIn)]) == 1
    assert len([each for each in results if isinstance(each, DomainError)]) == 11


def test_looking_for_a_nonce_before_spending_it_would_sign_in_all(
    world: World, session: Session
) -> None:
    """The twin: each sees the nonce before any of them takes it away."""
    nonce = a_nonce(world.app, session)
    session.commit()
    seen = [count(session, IdentityNonce) == 1 for _ in range(12)]
    spend_nonce(session, nonce, now=utc_now())
    assert seen == [True] * 12


def test_an_identity_that_comes_many_times_at_once_is_one_citizen(
    world: World, session: Session
) -> None:
    hall, nonces = hall_of(world.app), [a_nonce(world.app, session) for _ in range(10)]
    session.commit()
    left = iter(nonces)
    race(
        world.engines["api"],
        10,
        lambda s: sign_in_with(
            s, hall=hall, proven=proven("one"), nonce=next(left), device=None, now=utc_now()
        ),
    )
    assert (count(session, Citizen), count(session, Anchor)) == (1, 1)


def test_without_a_provider_there_is_nothing_to_ask(world: World) -> None:
    assert problem(world.client.post("/v1/auth/identity/nonces")) == (404, "not-found")


def test_what_the_provider_vouches_for_is_shown_as_verified_by_it(
    world: World, provider: IdentityProvider
) -> None:
    told = {"birthdate": "1990", "gender": "male", "legal_dong": "no-such-area"}
    shown = me(world, headers_of(come(world, provider, "somebody", **told)))["attributes"]
    assert set(shown) == {"birth_year", "gender"}
    assert (shown["birth_year"]["value"], shown["birth_year"]["verified_issuer"]) == (1990, ISSUER)
    assert shown["birth_year"]["verified_by"] is None
    assert shown["birth_year"]["verified_at"] is not None


def test_a_linked_identity_verifies_an_account_and_changes_no_anchor(
    world: World, provider: IdentityProvider, session: Session
) -> None:
    person = a_citizen(world.app, session)
    poll = world.open_poll()
    assert world.cast(poll, world.person(person.id)).status_code == 201
    answer = link(world, provider, "somebody", person.headers)
    assert answer.status_code == 200
    assert answer.get_json()["identity_confirmed_at"] is not None
    by_identity = come(world, provider, "somebody")
    assert me(world, headers_of(by_identity))["id"] == str(person.id)
    mine = select(func.count()).where(Anchor.citizen_id == person.id)
    assert session.scalar(mine) == 1
    again = world.cast(poll, world.person(person.id))
    assert problem(again) == (409, "already-voted")


def test_an_identity_with_an_account_of_its_own_stays_with_it(
    world: World, provider: IdentityProvider, session: Session
) -> None:
    person = a_citizen(world.app, session)
    come(world, provider, "somebody")
    refused = link(world, provider, "somebody", person.headers)
    assert problem(refused) == (409, "identity-in-use")
    assert count(session, Anchor) == 2
    joined = link(world, provider, "somebody", person.headers, merge=True)
    assert (joined.status_code, joined.get_json()["identity_confirmed_at"]) == (200, None)
    assert count(session, Anchor) == 3


def test_an_account_has_one_identity(
    world: World, provider: IdentityProvider, session: Session
) -> None:
    person = a_citizen(world.app, session)
    assert link(world, provider, "one", person.headers).status_code == 200
    refused = link(world, provider, "two", person.headers)
    assert problem(refused) == (409, "identity-in-use")
    assert "DELETE /me/identity" in refused.get_json()["next_step"]


def test_the_only_way_into_an_account_cannot_be_given_up(
    world: World, provider: IdentityProvider, session: Session
) -> None:
    headers = headers_of(come(world, provider, "somebody"))
    refused = world.client.delete("/v1/me/identity", headers=headers)
    assert problem(refused) == (409, "last-way-in")
    assert me(world, headers)["identity_confirmed_at"] is not None
    person = a_citizen(world.app, session)
    assert link(world, provider, "another", person.headers).status_code == 200
    for _ in range(2):
        answer = world.client.delete("/v1/me/identity", headers=person.headers)
        assert answer.status_code == 204
    assert me(world, person.headers)["identity_confirmed_at"] is None


def test_the_database_keeps_no_account_without_a_way_in(owner: Session) -> None:
    owner.add(Citizen())
    with pytest.raises(IntegrityError, match="with_a_way_in"):
        owner.flush()


def test_whoever_is_not_verified_votes_only_once_a_number_is_confirmed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = IdentityProvider(verified_by=frozenset({"high"}))
    monkeypatch.setitem(world.app.extensions, "identity_provider", levels.provider)
    poll = world.open_poll()
    headers = headers_of(come(world, levels, "somebody", acr="low"))
    voter = world.person(uuid.UUID(me(world, headers)["id"]))
    asked = world.client.post(
        f"/v1/polls/{poll['id']}/eligibility", json={}, headers=voter.headers
    ).get_json()
    assert asked["may_vote"] is False
    [reason] = asked["reasons"]
    assert (reason["code"], reason["rule"]) == ("not-eligible", "confirmed")
    refused = world.cast(poll, voter)
    assert problem(refused) == (403, "not-eligible")
    assert refused.get_json()["rule"] == "confirmed"
    assert refused.get_json()["next_step"]
    assert world.count("participation") == 0
    headers_of(come(world, levels, "somebody", acr="high"))
    assert world.cast(poll, voter).status_code == 201
