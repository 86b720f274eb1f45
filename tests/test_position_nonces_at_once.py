"""Nonces that come twice at the same moment: one of them gets through."""

from __future__ import annotations

import os
from collections.abc import Callable

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from mvote.base import utc_now
from mvote.errors import DomainError
from mvote.polls.integrity import nonces
from mvote.polls.integrity.errors import PositionNonceInvalid
from mvote.polls.integrity.nonces import PositionNonce, use_nonce, use_nonce_for
from tests.support.integrity import nonce_of
from tests.support.racing import meeting_of, race
from tests.support.world import Person, World


def contenders_let_through(
    world: World, engine: Engine, use: Callable[[Session, Person, str], object]
) -> int:
    """How many of eight with one nonce get through at the same moment."""
    voter = world.citizen()
    nonce = nonce_of(world, voter)
    found = race(engine, 8, lambda session: use(session, voter, nonce))
    refused = [each for each in found if isinstance(each, DomainError)]
    assert all(isinstance(each, PositionNonceInvalid) for each in refused)
    return len(found) - len(refused)


def test_of_eight_requests_with_one_nonce_at_the_same_moment_one_gets_through(
    world: World, engines: dict[str, Engine]
) -> None:
    def use(session: Session, voter: Person, nonce: str) -> object:
        return use_nonce(session, citizen_id=voter.id, nonce=nonce, now=utc_now())

    for _ in range(10):
        assert contenders_let_through(world, engines["api"], use) == 1


def test_of_eight_ballots_with_one_nonce_at_the_same_moment_one_gets_through(
    world: World, engines: dict[str, Engine]
) -> None:
    def use(session: Session, voter: Person, nonce: str) -> object:
        mark, now = os.urandom(32), utc_now()
        return use_nonce_for(session, citizen_id=voter.id, nonce=nonce, mark=mark, now=now)

    for _ in range(5):
        assert contenders_let_through(world, engines["api"], use) == 1


def test_of_one_ballot_sent_eight_times_at_the_same_moment_all_are_let_through_and_one_is_first(
    world: World, engines: dict[str, Engine]
) -> None:
    voter = world.citizen()
    nonce = nonce_of(world, voter)

    def use(session: Session) -> bool:
        mark, now = b"m" * 32, utc_now()
        return use_nonce_for(session, citizen_id=voter.id, nonce=nonce, mark=mark, now=now)

    assert sorted(map(bool, race(engines["api"], 8, use))) == [False] * 7 + [True]


def test_sabotaged_looking_first_and_deleting_then_lets_several_through(
    world: World, engines: dict[str, Engine]
) -> None:
    all_have_looked = meeting_of(8)

    def use(session: Session, voter: Person, nonce: str) -> object:
        is_it = PositionNonce.nonce_hash == nonces._hash_of(voter.id, nonce)
        found = session.scalar(select(PositionNonce.expires_at).where(is_it))
        all_have_looked.wait()
        if found is None:
            raise PositionNonceInvalid
        return session.execute(delete(PositionNonce).where(is_it))

    assert contenders_let_through(world, engines["api"], use) == 8
