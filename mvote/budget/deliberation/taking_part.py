"""Taking part: who may not in an appeal, because they did before; and reserves in what item."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.budget.assessment import Assessment
from mvote.budget.deliberation.judgment import Judgment, JudgmentVote, SwornIn
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.errors import Recused
from mvote.budget.reviewing.review import Opinion, Review
from mvote.budget.seat import Seat


def who_took_part(session: Session, proposal: Proposal) -> set[uuid.UUID]:
    """Once there is an appeal: whoever voted, closed the vote, wrote an opinion or assessed before
    it. The database's function `took_part_before` says the same of one person."""
    before = proposal.appealed_at
    if before is None:
        return set()
    voted = (
        select(Seat.citizen_id)
        .join(JudgmentVote, JudgmentVote.seat_id == Seat.id)
        .join(Judgment, Judgment.id == JudgmentVote.judgment_id)
        .where(Judgment.proposal_id == proposal.id, JudgmentVote.at <= before)
    )
    closed = (
        select(Seat.citizen_id)
        .join(Judgment, Judgment.closed_by == Seat.id)
        .where(Judgment.proposal_id == proposal.id, Judgment.closed_at <= before)
    )
    wrote = (
        select(Seat.citizen_id)
        .join(Opinion, Opinion.seat_id == Seat.id)
        .join(Review, Review.id == Opinion.review_id)
        .where(Review.proposal_id == proposal.id, Opinion.at <= before)
    )
    assessed = select(Assessment.found_by, Assessment.confirmed_by).where(
        Assessment.proposal_id == proposal.id
    )
    officers = {person for pair in session.execute(assessed) for person in pair}
    people = {person for query in (voted, closed, wrote) for person in session.scalars(query)}
    people |= officers
    return {person for person in people if person is not None}


def check_took_no_part(session: Session, proposal: Proposal, citizen_id: uuid.UUID) -> None:
    """See that the citizen took no part in what is appealed against. Raises Recused."""
    if citizen_id in who_took_part(session, proposal):
        raise Recused(ground="took_part")


def has_part(session: Session, proposal: Proposal, seat: Seat) -> bool:
    """Whether the seat has a part in the proposal: a reserve's only in what they are sworn in for.

    The database's function `has_part` says the same.
    """
    if seat.kind != "reserve":
        return True
    sworn_in = (
        select(SwornIn.at)
        .join(Judgment, Judgment.id == SwornIn.judgment_id)
        .where(
            SwornIn.seat_id == seat.id,
            Judgment.proposal_id == proposal.id,
            Judgment.state == "open",
        )
    )
    return session.scalars(sworn_in).one_or_none() is not None
