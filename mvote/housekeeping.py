"""What time takes away: keys whose day has come, tokens and codes that have expired."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Select, delete, func, select, text
from sqlalchemy.orm import Session

from mvote.answers import remove_old_answers
from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.poll_keys import key_name
from mvote.ballotbox.tables import SpentToken
from mvote.journal import Event, JournalEntry, write_down
from mvote.polls.places import Places
from mvote.polls.poll import Poll

NO_TERM = dt.timedelta()
REQUEST_KEY_TERM = dt.timedelta(hours=24)
REMEMBERED = dt.timedelta(days=30)
"""How far back a destruction that was not written down is looked for."""
ENDED = ("closed", "counted", "published", "voided", "cancelled")


@dataclass(frozen=True, kw_only=True)
class KeyDestroyed(Event):
    """The last copy of a poll's key is gone."""

    kind: ClassVar[str] = "key:destroyed"
    key: str


def destroy_keys(
    session: Session,
    keystore: Keystore,
    letter: str,
    *,
    term: dt.timedelta = NO_TERM,
    needed: Callable[[uuid.UUID], object] | None = None,
) -> list[uuid.UUID]:
    """Destroy this holder's copies of a key of every poll that ended *term* ago or earlier.

    But for polls in which it is still *needed*, which is asked after it was seen that they ended.
    Safe to repeat, and to be killed in: what is gone is gone, what is left goes the next time.
    """
    suffix = f"/{letter}"
    held = {
        uuid.UUID(name.split("/")[1]): name
        for name in keystore.names("poll/")
        if name.endswith(suffix)
    }
    due = list(session.scalars(_ended(term).where(Poll.id.in_(held)))) if held else []
    due = [poll_id for poll_id in due if not (needed and needed(poll_id))]
    for poll_id in due:
        keystore.destroy(key_name(poll_id, letter))
    return due


def journal_destroyed_keys(
    session: Session, keystore: Keystore, letter: str, *, term: dt.timedelta = NO_TERM
) -> None:
    """Write down, once, each key of which no holder has a copy any more."""
    session.execute(_ONE_JOURNALIST)
    written = select(JournalEntry.id).where(
        JournalEntry.subject_id == Poll.id,
        JournalEntry.kind == KeyDestroyed.kind,
        JournalEntry.facts["key"].astext == letter,
    )
    recent = _ended(term).where(
        func.coalesce(Poll.closed_at, Poll.cancelled_at) > func.clock_timestamp() - REMEMBERED,
        ~written.exists(),
    )
    for poll_id in list(session.scalars(recent)):
        if not keystore.is_held(key_name(poll_id, letter)):
            write_down(session, KeyDestroyed(key=letter), actor_id=None, subject_id=poll_id)


_ONE_JOURNALIST = text("SELECT pg_advisory_xact_lock(hashtextextended('key:destroyed', 3))")


def _ended(term: dt.timedelta) -> Select[uuid.UUID]:
    """Polls that were frozen and ended *term* ago or earlier, by the database's clock."""
    ended_at = func.coalesce(Poll.closed_at, Poll.cancelled_at)
    return select(Poll.id).where(
        Poll.frozen_at.is_not(None),
        Poll.state.in_(ENDED),
        ended_at <= func.clock_timestamp() - term,
    )


def hide_ended_polls(session: Session, places: Places) -> None:
    """Take polls whose voting is over out of the search for what is near."""
    places.hide_ended(session)


def remove_expired(session: Session) -> None:
    """Remove answers kept long enough, and spent tokens that would be refused as expired."""
    remove_old_answers(session)
    session.execute(delete(SpentToken).where(SpentToken.expires_at < func.clock_timestamp()))
