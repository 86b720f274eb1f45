"""What is left for a member: to read and to score, and until when."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle, CyclePhase
from mvote.budget.phases import REVIEWED
from mvote.budget.proposal import Proposal
from mvote.budget.proposal_rules import CLOCKS
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
    #: when the phase ends; for an appeal, when it must be decided, if that is later
    due_at: dt.datetime


def left_for(
    session: Session, *, citizen_id: uuid.UUID, after: uuid.UUID | None, limit: int
) -> Sequence[Left]:
    """Up to *limit* of what was assigned to the citizen and waits for their opinion, by the order
    in which it came under review, from behind the review *after* on."""
    seats = {each.seat_id: each for each in _seats(session, citizen_id)}
    at_work = [each.seat_id for each in seats.values() if each.is_open]
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
            Revision.amount, _ROUND.label("round"), Proposal.appealed_at,
        )
        .join(Review, Review.id == ReviewAssignment.review_id)
        .join(Proposal, Proposal.id == Review.proposal_id)
        .join(Revision, (Revision.proposal_id == Proposal.id) & (Revision.n == Proposal.revision))
        .where(
            ReviewAssignment.seat_id.in_(seats),
            or_(ReviewAssignment.seat_id.in_(at_work), Proposal.appealed_at.is_not(None)),
            Review.judged_at.is_(None),
            Proposal.state == "under_review",
            ~is_in.exists(),
        )
        .order_by(Review.id)
        .limit(limit)
    )  # fmt: skip
    if after is not None:
        waiting = waiting.where(Review.id > after)
    found = session.execute(waiting).mappings() if seats else ()
    return [_left(dict(row), seats[row["seat_id"]]) for row in found]


@dataclass(frozen=True, kw_only=True)
class _AtWork:
    """A seat in a cycle that runs, and until when that reviews."""

    seat_id: uuid.UUID
    closes_at: dt.datetime
    is_open: bool
    appeal_days: int | None


def _left(row: dict[str, Any], seat: _AtWork) -> Left:
    appealed_at, due_at = row.pop("appealed_at"), seat.closes_at
    if appealed_at is not None:  # it has a clock of its own
        days = seat.appeal_days or CLOCKS["appeal_decision_days"]
        due_at = max(due_at, appealed_at + dt.timedelta(days=days))
    return Left(**row, due_at=due_at)


def _seats(session: Session, citizen_id: uuid.UUID) -> Sequence[_AtWork]:
    """The citizen's seats in cycles that run, and whether those review now: a row for each phase
    in which that may be, the one that counts last."""
    clocks = Cycle.definition["clocks"]
    now = func.clock_timestamp()
    held = (
        select(
            Seat.id.label("seat_id"),
            CyclePhase.closes_at,
            ((CyclePhase.opens_at <= now) & (CyclePhase.closes_at > now)).label("is_open"),
            clocks["appeal_decision_days"].as_integer().label("appeal_days"),
        )
        .join(Committee, Committee.id == Seat.committee_id)
        .join(Cycle, Cycle.id == Committee.cycle_id)
        .join(CyclePhase, CyclePhase.cycle_id == Cycle.id)
        .where(
            Seat.citizen_id == citizen_id,
            Seat.state == "filled",
            Cycle.state == "running",
            CyclePhase.kind.in_(REVIEWED),
        )
        .order_by("is_open", CyclePhase.opens_at.desc())
    )
    return [_AtWork(**row) for row in session.execute(held).mappings()]
