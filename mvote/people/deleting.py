"""Deleting an account: all goes but what keeps its person from voting twice in living polls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.journal import Event, write_down
from mvote.people.challenges import Challenge
from mvote.people.citizens import Anchor, Citizen, Tombstone

LastPollEnds = Callable[[Session], dt.datetime | None]
"""When the last poll that now lives will have ended; None if none lives."""

TOMBSTONE_TERM = dt.timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class AccountDeleted(Event):
    kind = "account:deleted"


def after_the_longest_poll(_: Session) -> dt.datetime:
    """The end of the longest poll there may be: for whoever cannot ask the polls."""
    return dt.datetime.now(dt.UTC) + TOMBSTONE_TERM


def delete_account(
    session: Session, *, citizen: Citizen, last_poll_ends: LastPollEnds = after_the_longest_poll
) -> None:
    """Delete the account with all that is known of it, now and without a way back.

    While a poll of its time lives, a tombstone holds the hash of its number and its anchors.
    """
    # in the order in which signing in locks: first the code, then the account
    session.execute(delete(Challenge).where(Challenge.phone_hash == citizen.phone_hash))
    is_it = Citizen.id == citizen.id
    if session.scalar(select(Citizen.id).where(is_it).with_for_update()) is None:
        return  # gone already, by another call at the same moment
    until = last_poll_ends(session)
    if until is not None:
        _set_tombstones(session, citizen, until)
    session.execute(delete(Citizen).where(is_it))
    write_down(session, AccountDeleted(), actor_id=citizen.id, subject_id=citizen.id)


def _set_tombstones(session: Session, citizen: Citizen, until: dt.datetime) -> None:
    """One for each anchor; a number that was deleted before keeps the later term."""
    columns = ("phone_hash", "since", "anchor", "until")
    anchors = select(
        literal(citizen.phone_hash), Anchor.since, Anchor.anchor, literal(until)
    ).where(Anchor.citizen_id == citizen.id)
    statement = insert(Tombstone).from_select(columns, anchors)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Tombstone.phone_hash, Tombstone.since],
            set_={"until": func.greatest(Tombstone.until, statement.excluded.until)},
        )
    )
