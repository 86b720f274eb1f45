"""How far a count is: written beside it, in a transaction of its own, for an operator to see."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.ballotbox.figures import CountingProgress
from mvote.base import utc_now
from mvote.polls.poll import Poll, State

UNDER_WAY: tuple[State, ...] = ("closing", "closed", "counted")


def note_progress(session: Session, poll_id: uuid.UUID, done: int, size: int) -> None:
    """So many of *size* entries are unsealed. A count that begins anew starts the clock anew."""
    now = utc_now()
    news = {"done": done, "size": size, "at": now}
    row = insert(CountingProgress).values(poll_id=poll_id, began_at=now, **news)
    restarted = {"began_at": now} if done == 0 else {}
    session.execute(row.on_conflict_do_update(index_elements=["poll_id"], set_=news | restarted))


def counts_under_way(session: Session) -> list[tuple[Poll, CountingProgress | None]]:
    """Polls whose voting is over and whose result is not out, and how far their count is."""
    with_progress = (
        select(Poll, CountingProgress)
        .outerjoin(CountingProgress, CountingProgress.poll_id == Poll.id)
        .where(Poll.state.in_(UNDER_WAY))
        .order_by(Poll.closes_at)
    )
    return [(row[0], row[1]) for row in session.execute(with_progress)]
