"""Polls that were left out of the lists before, and read nearly as one that waits for an officer.

Whoever comes back under the same words is seen, and refused by nobody: an officer decides. Who made
them is not asked: a decision is on what a poll says, and no account gathers a record of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.orm import Session

from mvote.moderation.case import Case, Decided, State
from mvote.polls.poll import Poll
from mvote.polls.similar import CLOSE, Asked, Similar, alike

MOST = 5


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """Another poll, and where it stands now."""

    poll: Poll
    #: 0 to 1, where 1 is the same words
    score: float
    state: State


def left_out_before(session: Session, found: Case) -> Sequence[Earlier]:
    """Such polls, the nearest first, as long as the case waits."""
    if not found.waiting:
        return ()
    asked = Asked.by(session.get_one(Poll, found.poll_id))
    near = alike(session, asked, Poll.id.in_(_ever_left_out()), limit=MOST)
    close = [each for each in near if each.score >= CLOSE]
    states = _states(session, close)
    return [Earlier(poll=each.poll, score=each.score, state=states[each.poll.id]) for each in close]


def _ever_left_out() -> Select[uuid.UUID]:
    was_left_out = or_(Decided.decision == "keep", Decided.held_at.is_not(None))
    before = exists().where(Decided.poll_id == Case.poll_id, was_left_out)
    return select(Case.poll_id).where(or_(Case.held_at.is_not(None), Case.expired > 0, before))


def _states(session: Session, found: Sequence[Similar]) -> dict[uuid.UUID, State]:
    named = Case.poll_id.in_([each.poll.id for each in found])
    return dict(session.execute(select(Case.poll_id, Case.state).where(named)).all())
