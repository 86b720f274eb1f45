"""Drafts that nobody touches lose their rolls: numbers were given for a poll, not for ever.

Their key stays as long as the draft does: a key's name is never used again, and the draft may get
another roll. What it was the key of is gone.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.budget.telling.bulletin import Bulletin
from mvote.journal import Event, write_down
from mvote.polls.poll import Poll
from mvote.polls.roll import Roll
from mvote.polls.rolls.clearing import clear_entries

UNTOUCHED_DAYS = 90
"""A season: who has not touched a draft for so long holds no vote by its roll soon. Numbers change
hands meanwhile, and who was on the list expects nothing of it any more. The database's
`give_up_roll` has the same term."""
_GIVE_UP = text("SELECT give_up_roll(:poll_id)")


@dataclass(frozen=True, kw_only=True)
class RollGivenUp(Event):
    """Its poll stays a draft."""

    kind: ClassVar[str] = "poll:roll_given_up"
    size: int


def give_up_a_roll(session: Session) -> None:
    """Delete the roll of one draft that was not touched for the term, and with it the numbers of
    invitations; the author is told.

    One in each round: of a million entries it takes seconds, and all that the transaction has
    changed waits for it.
    """
    found = session.execute(_left_behind().limit(1)).one_or_none()
    if found is None:
        return
    poll_id, size = found
    one_at_a_time(session, poll_id)  # as whoever changes it, opens it or imports another
    if session.execute(_GIVE_UP, {"poll_id": poll_id}).scalar_one():
        clear_entries(session, poll_id)
        write_down(session, RollGivenUp(size=size), actor_id=None, subject_id=poll_id)
        facts = {"days": UNTOUCHED_DAYS}
        session.add(Bulletin(kind="poll_roll_given_up", poll_id=poll_id, facts=facts))
        session.flush()


def _left_behind() -> Select[uuid.UUID, int]:
    """The drafts whose rolls are to go, in one order, and how many are on each."""
    touched_at = func.greatest(Roll.imported_at, Poll.revised_at)
    is_over = touched_at < func.clock_timestamp() - dt.timedelta(days=UNTOUCHED_DAYS)
    rolls = select(Roll.poll_id, Roll.size).join(Poll, Poll.id == Roll.poll_id)
    return rolls.where(Poll.state == "draft", is_over).order_by(Roll.poll_id)
