"""Whether polls that were reported are found near by; other lists read the case itself."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.polls.places import Places
from mvote.polls.poll import Poll


def hide_now(session: Session, *, poll_id: uuid.UUID, places: Places) -> None:
    """Let the poll be found no more; whoever extends it at this moment shows it no more, either."""
    _hold_still(session, poll_id)
    places.hide(session, poll_id=poll_id)


def show_again(session: Session, *, poll_id: uuid.UUID, places: Places) -> None:
    """Let the poll be found, unless somebody has cancelled or ended it by now."""
    poll = _hold_still(session, poll_id)
    if poll.status_at(database_time(session)) in ("scheduled", "open"):
        places.show(session, poll_id=poll_id)


def _hold_still(session: Session, poll_id: uuid.UUID) -> Poll:
    """The poll as it is once nobody else changes it; until commit nobody begins.

    First the case's row, then the poll's, then its places: as whoever cancels or extends it.
    """
    return session.get_one(Poll, poll_id, populate_existing=True, with_for_update={"read": True})
