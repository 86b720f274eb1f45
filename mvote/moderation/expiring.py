"""Holds that no officer has looked at in time end by themselves: reports alone silence nobody."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.journal import Event, write_down
from mvote.moderation.case import Case, after, cut_to_hour
from mvote.moderation.reporting import tell_author
from mvote.polls.places import Places
from mvote.polls.poll import Poll

MOST_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class HoldExpired(Event):
    kind: ClassVar[str] = "poll:hold-expired"


def release_unseen(session: Session, *, places: Places, term: dt.timedelta) -> None:
    """Put polls back into the lists that were held back longer than *term*.

    Their reports go on waiting for an officer, and hold the poll back no second time.
    """
    too_long = Case.held_at < cut_to_hour(database_time(session)) - term
    unseen = select(Case.poll_id).where(Case.state == "held", too_long)
    for poll_id in session.scalars(unseen.order_by(Case.poll_id).limit(MOST_AT_ONCE)).all():
        _release(session, poll_id, places)


def _release(session: Session, poll_id: uuid.UUID, places: Places) -> None:
    found = session.get_one(Case, poll_id, with_for_update=True, populate_existing=True)
    if found.state != "held":  # an officer was quicker
        return
    now, poll = database_time(session), session.get_one(Poll, poll_id)
    found.state, found.held_at = after(found.state, "expire"), None
    found.spent, found.expired = found.waiting, found.expired + 1
    session.flush()
    write_down(session, HoldExpired(), actor_id=None, subject_id=poll_id)
    tell_author(session, "poll_hold_expired", poll_id, grounds={})
    if poll.status_at(now) in ("scheduled", "open"):
        places.show(session, poll_id=poll_id)
