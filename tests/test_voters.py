"""The voter as casting sees them: one anchor for one person, whatever becomes of the account."""

from __future__ import annotations

import datetime as dt
import os
import uuid

import pytest
from flask import Flask
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from mvote.base import utc_now
from mvote.people.attributes import Attribute
from mvote.people.citizens import Anchor, Citizen, Tombstone
from mvote.people.declaring import declare, verify
from mvote.people.deleting import delete_account
from mvote.people.phones import Phones
from mvote.people.registering import register, register_many
from mvote.people.voters import VoterAttribute, voter_of
from tests.support.people import KnownAreas, a_number, an_officer
from tests.support.racing import race

DAY = dt.timedelta(days=1)
AREAS = KnownAreas(["11110", "11"])


@pytest.fixture
def phones(app: Flask) -> Phones:
    found: Phones = app.extensions["phones"]
    return found


def anchor_of(session: Session, citizen_id: uuid.UUID, opened_at: dt.datetime) -> bytes:
    voter = voter_of(session, citizen_id, opened_at=opened_at)
    assert voter
    return voter.anchor


def delete(session: Session, citizen_id: uuid.UUID, *, poll_ends: dt.datetime | None) -> None:
    citizen = session.get_one(Citizen, citizen_id)
    delete_account(session, citizen=citizen, last_poll_ends=lambda _: poll_ends)


def test_nobody_votes_with_an_account_that_is_not_there(session: Session) -> None:
    assert voter_of(session, uuid.uuid4(), opened_at=utc_now()) is None


def test_a_new_account_votes_by_its_number_in_polls_older_than_itself(
    session: Session, phones: Phones
) -> None:
    number = a_number()
    citizen_id = register(session, number=number, phones=phones)
    for opened_at in (utc_now() - DAY, utc_now() + DAY):
        assert anchor_of(session, citizen_id, opened_at) == phones.anchor_of(number)


def test_a_poll_keeps_the_anchor_that_was_in_force_when_it_opened(
    session: Session, phones: Phones
) -> None:
    number, elder, now = a_number(), os.urandom(32), utc_now()
    citizen_id = register(session, number=number, phones=phones)
    session.add(Anchor(citizen_id=citizen_id, since=now + DAY, anchor=elder))
    session.flush()
    assert anchor_of(session, citizen_id, now + DAY / 2) == phones.anchor_of(number)
    assert anchor_of(session, citizen_id, now + DAY) == elder
    assert anchor_of(session, citizen_id, now + 2 * DAY) == elder


def test_a_voter_comes_with_all_attributes_and_whether_they_are_verified(
    app: Flask, session: Session, phones: Phones
) -> None:
    officer = session.get_one(Citizen, an_officer(app, session).id)
    citizen_id = register(session, number=a_number(), phones=phones)
    now = utc_now()
    said = {"home_area": "11110", "gender": "other"}
    declare(session, citizen_id=citizen_id, values=said, areas=AREAS, now=now)
    proved = {"birth_year": 1960}
    verify(
        session, citizen_id=citizen_id, values=proved, how=None, by=officer, areas=AREAS, now=now
    )
    voter = voter_of(session, citizen_id, opened_at=now)
    assert voter
    assert voter.id == citizen_id
    assert voter.attributes == {
        "home_area": VoterAttribute("11110", ["11110", "11"], verified=False),
        "gender": VoterAttribute("other", [], verified=False),
        "birth_year": VoterAttribute(1960, [], verified=True),
    }


def test_a_voter_is_read_in_one_statement(session: Session, phones: Phones) -> None:
    citizen_id = register(session, number=a_number(), phones=phones)
    seen: list[str] = []
    listen = (session.get_bind(), "before_cursor_execute", lambda *args: seen.append(args[2]))
    event.listen(*listen)
    try:
        voter_of(session, citizen_id, opened_at=utc_now())
    finally:
        event.remove(*listen)
    assert len(seen) == 1


def test_deleting_and_coming_back_does_not_make_a_second_voter(
    session: Session, phones: Phones
) -> None:
    number, elder, now = a_number(), os.urandom(32), utc_now()
    first = register(session, number=number, phones=phones)
    session.add(Anchor(citizen_id=first, since=now, anchor=elder))
    session.flush()
    before = [anchor_of(session, first, now - DAY), anchor_of(session, first, now)]
    delete(session, first, poll_ends=now + DAY)
    second = register(session, number=number, phones=phones)
    assert second != first
    assert [anchor_of(session, second, now - DAY), anchor_of(session, second, now)] == before


def test_leaving_and_coming_back_at_once_does_not_make_a_second_voter(
    session: Session, engines: dict[str, Engine], phones: Phones
) -> None:
    number, elder, now = a_number(), os.urandom(32), utc_now()
    anchors = select(Anchor.since, Anchor.anchor).order_by(Anchor.since)
    first = register(session, number=number, phones=phones)
    session.add(Anchor(citizen_id=first, since=now - DAY, anchor=elder))
    session.commit()
    before = session.execute(anchors).all()

    def come_and_go(session: Session) -> None:
        citizen_id = register(session, number=number, phones=phones)
        delete(session, citizen_id, poll_ends=now + DAY)

    def leave_and_come_back(session: Session) -> None:
        citizen = session.get(Citizen, first)
        if citizen:
            delete_account(session, citizen=citizen, last_poll_ends=lambda _: now + DAY)
        register(session, number=number, phones=phones)

    for act in (leave_and_come_back, come_and_go, leave_and_come_back):
        race(engines["api"], 10, act)
    session.rollback()
    last = session.scalars(select(Citizen.id)).one()
    assert last != first
    assert session.execute(anchors).all() == before


def test_a_tombstone_outlives_many_deletions_as_long_as_the_last_poll_needs(
    session: Session, phones: Phones
) -> None:
    number, now = a_number(), utc_now()
    for days in (3, 1):
        citizen_id = register(session, number=number, phones=phones)
        delete(session, citizen_id, poll_ends=now + days * DAY)
    assert session.scalars(select(Tombstone.until)).all() == [now + 3 * DAY]


def test_nothing_is_kept_of_a_deleted_account_when_no_poll_lives(
    session: Session, phones: Phones
) -> None:
    number = a_number()
    citizen_id = register(session, number=number, phones=phones)
    said = {"birth_year": 1960}
    declare(session, citizen_id=citizen_id, values=said, areas=AREAS, now=utc_now())
    delete(session, citizen_id, poll_ends=None)
    for table in (Citizen, Anchor, Attribute, Tombstone):
        assert session.scalars(select(table)).all() == []


def test_a_tombstone_that_has_ended_counts_no_more(session: Session, phones: Phones) -> None:
    number, elder, now = a_number(), os.urandom(32), utc_now()
    gone = {"bearer_hash": phones.hash_of(number), "anchor": elder, "since": now - 9 * DAY}
    session.add(Tombstone(**gone, until=now - DAY))
    session.flush()
    citizen_id = register(session, number=number, phones=phones)
    assert anchor_of(session, citizen_id, now) == phones.anchor_of(number)


def test_many_are_registered_at_once_in_the_order_of_their_numbers(
    session: Session, phones: Phones
) -> None:
    numbers = [a_number() for _ in range(1500)]
    known = register(session, number=numbers[7], phones=phones)
    ids = register_many(session, numbers=numbers, phones=phones)
    assert ids[7] == known
    assert len(set(ids)) == 1500
    assert ids == register_many(session, numbers=numbers, phones=phones)
    for number, citizen_id in zip(numbers[:20], ids[:20], strict=True):
        assert anchor_of(session, citizen_id, utc_now()) == phones.anchor_of(number)


def test_hash_anchor_and_encryption_of_a_number_tell_nothing_of_each_other(phones: Phones) -> None:
    number = a_number()
    values = {phones.hash_of(number), phones.anchor_of(number), phones.seal(number)}
    assert len(values | {phones.seal(number)}) == 4
    assert phones.hash_of(number) != phones.hash_of(a_number())


def test_a_sealed_number_opens_for_its_own_account_only(phones: Phones) -> None:
    number = a_number()
    sealed = phones.seal(number)
    assert phones.unseal(sealed, phone_hash=phones.hash_of(number)) == number
    with pytest.raises(ValueError, match="phone-encryption"):
        phones.unseal(sealed, phone_hash=phones.hash_of(a_number()))
