"""What ends by itself: one-time codes, limits, sessions; and what is forgotten afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.errors import TooManyRequests
from mvote.people import refreshing, signing_in
from mvote.people.challenges import Challenge
from mvote.people.citizens import Tombstone
from mvote.people.forgetting import forget_expired
from mvote.people.limits import Allowance, Limit, hash_of_address, use_up
from mvote.people.sessions import RefreshToken, SignIn
from mvote.people.signing_in import CODES_PER_ADDRESS, FrontDesk, SignedIn
from tests.support.people import a_number

Outbox = Callable[[], list[dict[str, Any]]]
NOW = dt.datetime(2026, 11, 1, 9, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
LIMIT = Limit("test", 2, dt.timedelta(hours=1))


@pytest.fixture
def desk(app: Flask) -> FrontDesk:
    found: FrontDesk = app.extensions["front_desk"]
    return found


def send(
    session: Session, desk: FrontDesk, number: str, *, address: str = "192.0.2.1"
) -> Challenge:
    with transaction(session):
        return signing_in.send_code(
            session,
            desk=desk,
            number=number,
            purpose="sign-in",
            address=address,
            language="ko",
            now=NOW,
        )


def sign_in(
    session: Session, desk: FrontDesk, outbox: Outbox, *, after: dt.timedelta
) -> SignedIn | None:
    challenge = send(session, desk, a_number())
    code = outbox()[-1]["code"]
    with transaction(session):
        return signing_in.sign_in(
            session, desk=desk, challenge_id=challenge.id, code=code, now=NOW + after
        )


@pytest.mark.parametrize(
    ("seconds", "is_good"), [(0, True), (299, True), (300, False), (9999, False)]
)
def test_a_code_is_good_for_five_minutes(
    session: Session, desk: FrontDesk, outbox: Outbox, seconds: int, is_good: bool
) -> None:
    signed_in = sign_in(session, desk, outbox, after=dt.timedelta(seconds=seconds))
    assert (signed_in is not None) is is_good


def test_a_session_ends_thirty_days_after_the_code(
    session: Session, desk: FrontDesk, outbox: Outbox
) -> None:
    signed_in = sign_in(session, desk, outbox, after=SECOND)
    assert signed_in
    end = NOW + SECOND + dt.timedelta(days=30)
    renewed = refreshing.refresh(
        session, desk=desk, token=signed_in.refresh_token, now=end - SECOND
    )
    assert renewed
    assert refreshing.refresh(session, desk=desk, token=renewed.refresh_token, now=end) is None


def test_a_limit_begins_anew_when_its_span_is_over(session: Session) -> None:
    use = {"subject_hash": bytes(32)}
    for _ in range(LIMIT.most):
        use_up(session, LIMIT, **use, now=NOW)
    session.commit()
    with pytest.raises(TooManyRequests) as refused:
        use_up(session, LIMIT, **use, now=NOW + 60 * SECOND)
    assert refused.value.retry_after_s == 3540
    session.rollback()
    use_up(session, LIMIT, **use, now=NOW + LIMIT.span)
    assert session.scalars(select(Allowance.used)).one() == 1


def test_a_limit_counts_each_subject_for_itself(session: Session) -> None:
    for subject in range(4):
        use_up(session, LIMIT, subject_hash=bytes([subject] * 32), now=NOW)
    assert session.scalars(select(Allowance.used)).all() == [1] * 4


def test_an_address_gets_three_hundred_codes_an_hour(
    session: Session, desk: FrontDesk, outbox: Outbox
) -> None:
    home = hash_of_address(desk.keystore, "192.0.2.7")
    for _ in range(CODES_PER_ADDRESS.most - 1):
        use_up(session, CODES_PER_ADDRESS, subject_hash=home, now=NOW)
    session.commit()
    send(session, desk, a_number(), address="192.0.2.7")
    with pytest.raises(TooManyRequests):
        send(session, desk, a_number(), address="192.0.2.7")
    assert len(outbox()) == 1
    send(session, desk, a_number(), address="192.0.2.8")


def test_a_household_with_ipv6_is_one_address(desk: FrontDesk) -> None:
    def hashed(address: str) -> bytes:
        return hash_of_address(desk.keystore, address)

    assert hashed("2001:db8:1:2::1") == hashed("2001:db8:1:2:ffff::9")
    assert hashed("2001:db8:1:2::1") != hashed("2001:db8:1:3::1")
    assert hashed("192.0.2.1") != hashed("192.0.2.2")
    assert hashed("unknown") != hashed("")


def test_no_message_leaves_when_nothing_is_committed(
    session: Session, desk: FrontDesk, outbox: Outbox
) -> None:
    def send_and_fail() -> None:
        with transaction(session):
            signing_in.send_code(
                session,
                desk=desk,
                number=a_number(),
                purpose="sign-in",
                address="",
                language="ko",
                now=NOW,
            )
            raise RuntimeError

    with pytest.raises(RuntimeError):
        send_and_fail()
    with transaction(session):
        pass
    assert outbox() == []


def test_what_has_ended_is_forgotten_and_nothing_else(
    session: Session, desk: FrontDesk, outbox: Outbox
) -> None:
    assert sign_in(session, desk, outbox, after=SECOND)
    tombstone = {"bearer_hash": bytes(32), "anchor": bytes(32), "since": NOW}
    session.add(Tombstone(**tombstone, until=NOW + dt.timedelta(days=40)))
    session.commit()

    def left(*, after: dt.timedelta) -> list[int]:
        forget_expired(session, now=NOW + after)
        tables = (Challenge, Allowance, SignIn, RefreshToken, Tombstone)
        return [session.scalars(select(func.count()).select_from(each)).one() for each in tables]

    assert left(after=299 * SECOND) == [1, 3, 1, 1, 1]
    assert left(after=301 * SECOND) == [0, 3, 1, 1, 1]
    assert left(after=3601 * SECOND) == [0, 0, 1, 1, 1]
    assert left(after=dt.timedelta(days=31)) == [0, 0, 0, 0, 1]
    assert left(after=dt.timedelta(days=41)) == [0, 0, 0, 0, 0]
