"""Changing the number of an account, and finding that two accounts are of one person."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from mvote.ballotbox.notation import h
from mvote.errors import TokenInvalid, stands_for
from mvote.journal import Event, write_down
from mvote.people.anchors import (
    LastPollEnds,
    become_one,
    from_now_on,
    has_anchor,
    hold_still,
    leave_behind,
    write_first,
)
from mvote.people.challenges import Challenge
from mvote.people.citizens import Citizen
from mvote.people.errors import NumberInUse
from mvote.people.limits import Limit, use_up
from mvote.people.notices import tell
from mvote.people.sessions import SignIn
from mvote.people.signing_in import FrontDesk, Typed, spend_code
from mvote.wording import say

#: what the old number gets: whoever reads it may have to act at once
CHANGED = say(
    "[mvote] The number of your account was changed. If this was not you, tell the city now."
)
JOINED = say(
    "[mvote] Two accounts are yours. In polls opened from now on they vote once, together."
)
CHANGES = Limit("number-changes", 20, dt.timedelta(hours=1))
"""Codes tried for another number, right or wrong."""
stands_for("uq_citizen_phone_hash", NumberInUse)


@dataclass(frozen=True, kw_only=True)
class NumberChanged(Event):
    kind = "number:changed"


@dataclass(frozen=True, kw_only=True)
class AccountsJoined(Event):
    """Two accounts vote as one person in polls opened from now on."""

    kind = "accounts:joined"
    other_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class NumberChange:
    """What is asked: the code that the new number got, and whether its account is mine, too."""

    challenge_id: uuid.UUID
    code: str
    merge: bool


def change_number(
    session: Session,
    *,
    desk: FrontDesk,
    citizen_id: uuid.UUID,
    change: NumberChange,
    session_id: uuid.UUID | None,
    last_poll_ends: LastPollEnds,
    now: dt.datetime,
) -> Citizen | None:
    """Let an account have the number that a code proves; None, to be committed, for a wrong code.

    The account keeps its anchor, and so does the old number in polls of this time; in later polls
    it is somebody else's. All other sessions end. A number that has an account stays with it; with
    `merge` the two are one person. Raises NumberInUse without, and TooManyRequests.
    """
    # alone with one's own count before alone with all anchors: guesses must not hold up the city
    subject = h("mvote/number-changes/1", citizen_id.bytes)
    use_up(session, CHANGES, subject_hash=subject, now=now)
    hold_still(session)  # before any other row is locked
    typed = Typed(challenge_id=change.challenge_id, code=change.code, purpose="new-number")
    number = spend_code(session, desk=desk, typed=typed, now=now)
    if number is None:
        return None
    phone_hash = desk.phones.hash_of(number)
    _forget_codes(session, citizen_id, phone_hash)
    citizen, other = both_locked(session, citizen_id, Citizen.phone_hash == phone_hash)
    if other is not None and not change.merge:
        raise NumberInUse
    if other is not None:
        join(session, desk, citizen, other)
    elif citizen.phone_hash != phone_hash:
        _give_up_number(session, desk, citizen, last_poll_ends)
        citizen.phone_hash, citizen.phone_sealed = phone_hash, desk.phones.seal(number)
        is_first = not has_anchor(session, citizen.id)
        # what gives an account its anchor counts in open polls, as if it was made with it
        citizen.phone_since = None if is_first else from_now_on(session)
        session.flush()  # nobody else registers this number from here on
        if is_first:
            first = {citizen.id: desk.phones.anchor_of(number)}
            write_first(session, {citizen.id: phone_hash}, first, now)
        _end_other_sessions(session, citizen.id, session_id)
        write_down(session, NumberChanged(), actor_id=citizen.id, subject_id=citizen.id)
    return citizen


def both_locked(
    session: Session, citizen_id: uuid.UUID, is_other: ColumnElement[bool]
) -> tuple[Citizen, Citizen | None]:
    """The account, and another that *is_other* finds, both locked. Raises TokenInvalid."""
    wanted = select(Citizen).where((Citizen.id == citizen_id) | is_other)
    found = session.scalars(
        wanted.order_by(Citizen.id).with_for_update(),
        execution_options={"populate_existing": True},
    ).all()
    mine = {each.id: each for each in found}
    if citizen_id not in mine:
        raise TokenInvalid
    citizen = mine.pop(citizen_id)
    return citizen, next(iter(mine.values()), None)


def join(session: Session, desk: FrontDesk, citizen: Citizen, other: Citizen) -> None:
    """Two accounts, both locked, are one person from now on; both are told."""
    become_one(session, citizen, other)
    for one, two in ((citizen, other), (other, citizen)):
        event = AccountsJoined(other_id=two.id)
        write_down(session, event, actor_id=citizen.id, subject_id=one.id)
        tell(session, desk, one, JOINED)


def _forget_codes(session: Session, citizen_id: uuid.UUID, new: bytes) -> None:
    """Codes of the number that is going to be given up, if one is, before any account is locked:
    signing in locks first the code, then the account. Nobody else changes numbers meanwhile."""
    mine = select(Citizen.phone_hash).where(Citizen.id == citizen_id).scalar_subquery()
    is_taken = select(Citizen.id).where(Citizen.phone_hash == new).exists()
    session.execute(delete(Challenge).where(Challenge.phone_hash == mine, ~is_taken))


def _give_up_number(
    session: Session, desk: FrontDesk, citizen: Citizen, last_poll_ends: LastPollEnds
) -> None:
    """Leave the present number, if there is one, as whoever has it next may find it."""
    if citizen.phone_hash is None:
        return
    tell(session, desk, citizen, CHANGED)
    leave_behind(
        session,
        citizen_id=citizen.id,
        bearer=citizen.phone_hash,
        until=last_poll_ends(session),
        taken_at=citizen.phone_since,
        new_from=from_now_on(session),
    )


def _end_other_sessions(
    session: Session, citizen_id: uuid.UUID, session_id: uuid.UUID | None
) -> None:
    others = delete(SignIn).where(SignIn.citizen_id == citizen_id)
    session.execute(others if session_id is None else others.where(SignIn.id != session_id))
