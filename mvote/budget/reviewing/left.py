"""What is left for a member: to read and to score, and until when."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from mvote.budget.cycle import Cycle, CyclePhase
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.review import FIRST, SECOND, Opinion, Review, ReviewAssignment
from mvote.budget.revision import Revision
from mvote.budget.seat import Seat

_ROUND = case((Review.discussed_at.is_(None), FIRST), else_=SECOND)


@dataclass(frozen=True, kw_only=True)
class Left:
    """One proposal of which a member's opinion is wanted, in the round that is open."""

    review_id: uuid.UUID
    seat: Seat
    proposal: Proposal
    text: Revision
    round: int
    #: when the phase ends
    due_at: dt.datetime


def left_for(
    session: Session, *, citizen_id: uuid.UUID, after: uuid.UUID | None, limit: int
) -> Sequence[Left]:
    """Up to *limit* of what was assigned to the citizen and waits for their opinion, by the order
    in which it came under review, from behind the review *after* on."""
    is_in = select(Opinion.at).where(
        Opinion.review_id == Review.id, Opinion.seat_id == Seat.id, Opinion.round == _ROUND
    )
    waiting = (
        select(Review.id, Seat, Proposal, Revision, _ROUND, CyclePhase.closes_at)
        .select_from(Seat)
        .join(ReviewAssignment, ReviewAssignment.seat_id == Seat.id)
        .join(Review, Review.id == ReviewAssignment.review_id)
        .join(Proposal, Proposal.id == Review.proposal_id)
        .join(Revision, (Revision.proposal_id == Proposal.id) & (Revision.n == Proposal.revision))
        .join(Cycle, Cycle.id == Proposal.cycle_id)
        .join(CyclePhase, CyclePhase.cycle_id == Cycle.id)
        .where(
            Seat.citizen_id == citizen_id,
            Seat.state == "filled",
            Review.judged_at.is_(None),
            Proposal.state == "under_review",
            Cycle.state == "running",
            CyclePhase.kind == "reviewing",
            CyclePhase.opens_at <= func.clock_timestamp(),
            CyclePhase.closes_at > func.clock_timestamp(),
            ~is_in.exists(),
        )
        .order_by(Review.id)
        .limit(limit)
    )
    if after is not None:
        waiting = waiting.where(Review.id > after)
    return [
        Left(review_id=review_id, seat=seat, proposal=proposal, text=revision, round=number,
             due_at=due_at)
        for review_id, seat, proposal, revision, number, due_at in session.execute(waiting)
    ]  # fmt: skip
