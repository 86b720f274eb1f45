"""Holds that no officer has looked at in time end by themselves: reports alone silence nobody."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.journal import Event, write_down
from mvote.moderation.case import Case, after, cut_to_hour
from mvote.moderation.reporting import tell_author
from mvote.moderation.showing import show_again
from mvote.polls.places import Places
from mvote.polls.poll import Poll

MOST_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class HoldExpired(Event):
    kind: ClassVar[str] = "poll:hold-expired"


def release_unseen(session: Session, *, places: Places, term: dt.timedelta) -> None:
    """Put polls back into the lists that were held back longer than *term*.

    Their reports go on waiting for an officer, and hold the poll back no second time. Whatever an
    officer or the poll's own people have in hand at this moment has time until the next round:
    nobody waits here for one poll while others wait for what was done to another.
    """
    too_long = Case.held_at < cut_to_hour(database_time(session)) - term
    unseen = select(Case).join(Poll).where(Case.state == "held", too_long)
    free = unseen.with_for_update(key_share=True, skip_locked=True, of=(Case, Poll))
    fresh = {"populate_existing": True}
    some = free.order_by(Case.poll_id).limit(MOST_AT_ONCE)
    for found in session.scalars(some, execution_options=fresh).all():
        _release(session, found, places)


def _release(session: Session, found: Case, places: Places) -> None:
    found.state, found.held_at = after(found.state, "expire"), None
    found.spent, found.expired = found.waiting, found.expired + 1
    session.flush()
    write_down(session, HoldExpired(), actor_id=None, subject_id=found.poll_id)
    tell_author(session, "poll_hold_expired", found.poll_id, grounds={})
    show_again(session, poll_id=found.poll_id, places=places)
