"""What time takes away: keys whose day has come, tokens and codes that have expired."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from mvote.answers import remove_old_answers
from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.poll_keys import key_name
from mvote.ballotbox.tables import SpentToken
from mvote.journal import Event, write_down
from mvote.polls.places import Places
from mvote.polls.poll import Poll

REQUEST_KEY_TERM = dt.timedelta(hours=24)
ENDED = ("closed", "counted", "published", "voided", "cancelled")


@dataclass(frozen=True, kw_only=True)
class KeyDestroyed(Event):
    """The last copy of a poll's key, or this holder's, is gone."""

    kind: ClassVar[str] = "key:destroyed"
    key: str
    holder: str


def destroy_link_keys(session: Session, keystore: Keystore) -> int:
    """Destroy the api's copy of L for every poll that had its final shuffle."""
    return _destroy(session, keystore, "L", dt.timedelta())


def destroy_request_keys(session: Session, keystore: Keystore) -> int:
    """Destroy R a day after closing: from then on nobody can ask for a receipt again."""
    return _destroy(session, keystore, "R", REQUEST_KEY_TERM)


def _destroy(session: Session, keystore: Keystore, letter: str, term: dt.timedelta) -> int:
    held = {uuid.UUID(name.split("/")[1]): name for name in keystore.names("poll/")
            if name.endswith(f"/{letter}")}  # fmt: skip
    if not held:
        return 0
    over = select(Poll.id).where(
        Poll.id.in_(held),
        Poll.state.in_(ENDED),
        func.coalesce(Poll.closed_at, Poll.cancelled_at) <= func.clock_timestamp() - term,
    )
    destroyed = list(session.scalars(over))
    for poll_id in destroyed:
        write_down(
            session, KeyDestroyed(key=letter, holder="api"), actor_id=None, subject_id=poll_id
        )
        keystore.destroy(key_name(poll_id, letter))
    return len(destroyed)


def hide_ended_polls(session: Session, places: Places) -> None:
    """Take polls whose voting is over out of the search for what is near."""
    places.hide_ended(session)


def remove_expired(session: Session) -> None:
    """Remove answers kept long enough, and spent tokens that would be refused as expired."""
    remove_old_answers(session)
    session.execute(delete(SpentToken).where(SpentToken.expires_at < func.clock_timestamp()))
