"""What is left for a member: to read and to score, and until when."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from mvote.budget.committee import Committee
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
    committee_id: uuid.UUID
    cycle_id: uuid.UUID
    seat_id: uuid.UUID
    proposal_id: uuid.UUID
    reference: str
    title: dict[str, str]
    heading: str | None
    kind: str | None
    amount: int
    round: int
    #: when the phase ends
    due_at: dt.datetime


def left_for(
    session: Session, *, citizen_id: uuid.UUID, after: uuid.UUID | None, limit: int
) -> Sequence[Left]:
    """Up to *limit* of what was assigned to the citizen and waits for their opinion, by the order
    in which it came under review, from behind the review *after* on."""
    due_at = _seats_at_work(session, citizen_id)
    is_in = select(Opinion.at).where(
        Opinion.review_id == Review.id,
        Opinion.seat_id == ReviewAssignment.seat_id,
        Opinion.round == _ROUND,
    )
    waiting = (
        select(
            Review.id.label("review_id"), Review.committee_id, Proposal.cycle_id,
            ReviewAssignment.seat_id, Review.proposal_id, Proposal.reference,
            Revision.content["title"].label("title"), Revision.heading, Revision.kind,
            Revision.amount, _ROUND.label("round"),
        )
        .join(Review, Review.id == ReviewAssignment.review_id)
        .join(Proposal, Proposal.id == Review.proposal_id)
        .join(Revision, (Revision.proposal_id == Proposal.id) & (Revision.n == Proposal.revision))
        .where(
            ReviewAssignment.seat_id.in_(due_at),
            Review.judged_at.is_(None),
            Proposal.state == "under_review",
            ~is_in.exists(),
        )
        .order_by(Review.id)
        .limit(limit)
    )  # fmt: skip
    if after is not None:
        waiting = waiting.where(Review.id > after)
    found = session.execute(waiting).mappings() if due_at else ()
    return [Left(**row, due_at=due_at[row["seat_id"]]) for row in found]


def _seats_at_work(session: Session, citizen_id: uuid.UUID) -> dict[uuid.UUID, dt.datetime]:
    """The citizen's seats in cycles that review now, and until when those do."""
    open_now = (
        select(Seat.id, CyclePhase.closes_at)
        .join(Committee, Committee.id == Seat.committee_id)
        .join(Cycle, Cycle.id == Committee.cycle_id)
        .join(CyclePhase, CyclePhase.cycle_id == Cycle.id)
        .where(
            Seat.citizen_id == citizen_id,
            Seat.state == "filled",
            Cycle.state == "running",
            CyclePhase.kind == "reviewing",
            CyclePhase.opens_at <= func.clock_timestamp(),
            CyclePhase.closes_at > func.clock_timestamp(),
        )
    )
    return dict(session.execute(open_now).all())
