"""Deleting an account: all goes but what keeps its person from voting twice in living polls."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mvote.journal import Event, write_down
from mvote.people.anchors import LastPollEnds, from_now_on, hold_still, is_shared, leave_behind
from mvote.people.challenges import Challenge
from mvote.people.citizens import Citizen


@dataclass(frozen=True, kw_only=True)
class AccountDeleted(Event):
    kind = "account:deleted"


def delete_account(session: Session, *, citizen: Citizen, last_poll_ends: LastPollEnds) -> None:
    """Delete the account with all that is known of it, now and without a way back.

    While a poll of its time lives, tombstones hold the hashes of its number and identity and its
    anchors.
    """
    hold_still(session)
    # in the order in which signing in locks: first the code, then the account
    session.execute(delete(Challenge).where(Challenge.phone_hash == citizen.phone_hash))
    is_it = Citizen.id == citizen.id
    if session.scalar(select(Citizen.id).where(is_it).with_for_update()) is None:
        return  # gone already, by another call at the same moment
    session.refresh(citizen)  # as it is now that nobody else changes it
    _leave_tombstones(session, citizen, last_poll_ends(session))
    session.execute(delete(Citizen).where(is_it))
    write_down(session, AccountDeleted(), actor_id=citizen.id, subject_id=citizen.id)


def _leave_tombstones(session: Session, citizen: Citizen, until: dt.datetime | None) -> None:
    """Of number and identity. Where the anchor lives on elsewhere, the number, which the carrier
    may give to somebody else, is a stranger's in later polls."""
    if citizen.identity_hash is not None:
        leave_behind(
            session,
            citizen_id=citizen.id,
            bearer=citizen.identity_hash,
            until=until,
            taken_at=citizen.identity_since,
        )
    if citizen.phone_hash is not None:
        lives_on = citizen.identity_hash is not None or is_shared(session, citizen.id)
        leave_behind(
            session,
            citizen_id=citizen.id,
            bearer=citizen.phone_hash,
            until=until,
            taken_at=citizen.phone_since,
            new_from=from_now_on(session) if lives_on else None,
        )
