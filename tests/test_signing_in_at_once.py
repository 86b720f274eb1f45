"""Signing in under parallel use: once is once. Each race has a sabotaged twin."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.errors import DomainError, TooManyRequests
from mvote.journal import JournalEntry
from mvote.people import signing_in
from mvote.people.challenges import MOST_TRIES, Challenge, hash_of_code
from mvote.people.citizens import Anchor, Citizen
from mvote.people.limits import Allowance, Limit, use_up
from mvote.people.refreshing import refresh
from mvote.people.registering import register
from mvote.people.sessions import GRACE, RefreshToken, SignIn, hash_of_token, new_refresh_token
from mvote.people.signing_in import FrontDesk, SignedIn, keep_token
from tests.support.people import a_number
from tests.support.racing import meeting_of, race

NOW = dt.datetime(2026, 11, 1, 9, tzinfo=dt.UTC)
AT_ONCE = 20
CODE = "123456"
LIMIT = Limit("test", 5, dt.timedelta(hours=1))
SUBJECT = bytes(32)


@pytest.fixture
def desk(app: Flask) -> FrontDesk:
    found: FrontDesk = app.extensions["front_desk"]
    return found


@pytest.fixture
def api(engines: dict[str, Engine]) -> Engine:
    return engines["api"]


def a_challenge(session: Session, desk: FrontDesk) -> uuid.UUID:
    """A challenge of a new number, answered by CODE."""
    number, id_ = a_number(), uuid.uuid4()
    challenge = Challenge(
        id=id_,
        phone_hash=desk.phones.hash_of(number),
        phone_sealed=desk.phones.seal(number),
        code_hash=hash_of_code(desk.keystore, id_, CODE),
        expires_at=NOW + dt.timedelta(minutes=5),
    )
    session.add(challenge)
    session.commit()
    return id_


def count(session: Session, table: type[Any]) -> int:
    session.rollback()
    return session.scalars(select(func.count()).select_from(table)).one()


def check_then_act(check: Callable[[Session], Any], act: Callable[[Session], Any]) -> Any:
    """The sabotage: all check before any of them acts, as happens now and then by itself."""
    checked = meeting_of(AT_ONCE)

    def sabotaged(session: Session) -> bool:
        allowed = bool(check(session))
        checked.wait()
        if allowed:
            act(session)
        return allowed

    return sabotaged


def test_five_tries_are_five_however_many_guess_at_once(
    session: Session, desk: FrontDesk, api: Engine
) -> None:
    id_ = a_challenge(session, desk)
    typed = signing_in.Typed(challenge_id=id_, code=CODE, purpose="sign-in")
    tries = race(api, AT_ONCE, lambda s: signing_in.take_try(s, typed=typed, now=NOW) is not None)
    assert tries.count(True) == MOST_TRIES


def test_checking_before_counting_would_let_all_guess(
    session: Session, desk: FrontDesk, api: Engine
) -> None:
    id_ = a_challenge(session, desk)
    is_it = Challenge.id == id_
    sabotaged = check_then_act(
        lambda s: s.scalars(select(Challenge.tries).where(is_it)).one() < MOST_TRIES,
        lambda s: s.execute(update(Challenge).where(is_it).values(tries=1)),
    )
    assert race(api, AT_ONCE, sabotaged).count(True) == AT_ONCE


def test_a_code_typed_on_many_phones_at_once_signs_in_one(
    session: Session, desk: FrontDesk, api: Engine
) -> None:
    id_ = a_challenge(session, desk)
    results = race(
        api,
        AT_ONCE,
        lambda s: signing_in.sign_in(s, desk=desk, challenge_id=id_, code=CODE, now=NOW),
    )
    assert len([each for each in results if isinstance(each, SignedIn)]) == 1
    assert (count(session, SignIn), count(session, Citizen)) == (1, 1)


def test_looking_before_spending_would_sign_in_all(
    session: Session, desk: FrontDesk, api: Engine
) -> None:
    id_ = a_challenge(session, desk)
    is_it = Challenge.id == id_
    sabotaged = check_then_act(
        lambda s: s.scalars(select(Challenge).where(is_it)).one().spent_at is None,
        lambda s: s.execute(update(Challenge).where(is_it).values(spent_at=NOW)),
    )
    assert race(api, AT_ONCE, sabotaged).count(True) == AT_ONCE


def test_one_number_confirmed_many_times_at_once_is_one_citizen(
    session: Session, desk: FrontDesk, api: Engine
) -> None:
    number = a_number()
    ids = race(api, AT_ONCE, lambda s: register(s, number=number, phones=desk.phones))
    assert len(set(ids)) == 1
    assert (count(session, Citizen), count(session, Anchor)) == (1, 1)


def test_looking_before_registering_would_fail_for_all_but_one(
    session: Session, desk: FrontDesk, api: Engine
) -> None:
    number = a_number()
    row = {"phone_hash": desk.phones.hash_of(number), "phone_sealed": desk.phones.seal(number)}
    sabotaged = check_then_act(
        lambda s: s.scalar(select(Citizen.id)) is None,
        lambda s: s.execute(insert(Citizen).values(row)),
    )
    refused = [each for each in race(api, AT_ONCE, sabotaged) if isinstance(each, DomainError)]
    assert len(refused) == AT_ONCE - 1
    assert count(session, Citizen) == 1


def test_a_limit_holds_however_many_use_it_at_once(session: Session, api: Engine) -> None:
    results = race(api, AT_ONCE, lambda s: use_up(s, LIMIT, subject_hash=SUBJECT, now=NOW))
    assert len([each for each in results if isinstance(each, TooManyRequests)]) == AT_ONCE - 5
    session.rollback()
    assert session.scalars(select(Allowance.used)).one() == LIMIT.most


def test_counting_before_using_would_let_all_through(session: Session, api: Engine) -> None:
    use_up(session, LIMIT, subject_hash=SUBJECT, now=NOW)
    session.commit()
    sabotaged = check_then_act(
        lambda s: s.scalars(select(Allowance.used)).one() < LIMIT.most,
        lambda s: s.execute(update(Allowance).values(used=2)),
    )
    assert race(api, AT_ONCE, sabotaged).count(True) == AT_ONCE


def a_session(session: Session, desk: FrontDesk) -> str:
    """A signed-in citizen's refresh token."""
    citizen_id = register(session, number=a_number(), phones=desk.phones)
    ends = NOW + dt.timedelta(days=30)
    signed_in = SignIn(citizen_id=citizen_id, started_at=NOW, expires_at=ends)
    token = new_refresh_token()
    session.add(signed_in)
    session.flush()
    session.add(RefreshToken(token_hash=hash_of_token(token), sign_in_id=signed_in.id))
    session.commit()
    return token


def test_a_refresh_token_used_at_once_gets_one_successor(
    session: Session, desk: FrontDesk, api: Engine
) -> None:
    token = a_session(session, desk)
    results = race(api, AT_ONCE, lambda s: refresh(s, desk=desk, token=token, now=NOW))
    successors = {each.refresh_token for each in results if isinstance(each, SignedIn)}
    assert (len(results), len(successors)) == (AT_ONCE, 1)
    assert (count(session, SignIn), count(session, RefreshToken)) == (1, 2)


def test_successors_by_chance_would_make_a_session_many(
    session: Session, desk: FrontDesk, api: Engine
) -> None:
    token = a_session(session, desk)
    family = session.scalars(select(SignIn.id)).one()
    sabotaged = check_then_act(
        lambda s: s.scalars(select(RefreshToken)).one().used_at is None,
        lambda s: keep_token(s, new_refresh_token(), sign_in_id=family, now=NOW),
    )
    race(api, AT_ONCE, sabotaged)
    assert count(session, RefreshToken) == AT_ONCE + 1
    assert token


def test_a_stolen_token_is_written_down_once_however_often_it_comes_at_once(
    session: Session, desk: FrontDesk, api: Engine
) -> None:
    token = a_session(session, desk)
    later = NOW + GRACE + dt.timedelta(seconds=1)
    with transaction(session):
        refresh(session, desk=desk, token=token, now=NOW)
    results = race(api, AT_ONCE, lambda s: refresh(s, desk=desk, token=token, now=later))
    assert results == [None] * AT_ONCE
    assert (count(session, SignIn), count(session, JournalEntry)) == (0, 1)


def test_looking_before_renewing_would_renew_all(
    session: Session, desk: FrontDesk, api: Engine
) -> None:
    a_session(session, desk)
    sabotaged = check_then_act(
        lambda s: s.scalars(select(RefreshToken)).one().used_at is None,
        lambda s: s.execute(update(RefreshToken).values(used_at=NOW)),
    )
    assert race(api, AT_ONCE, sabotaged).count(True) == AT_ONCE
