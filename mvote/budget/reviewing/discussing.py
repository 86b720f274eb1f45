"""The discussion between two rounds of opinions, recorded from the chair."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.committee import Committee
from mvote.budget.deliberation.taking_part import who_took_part
from mvote.budget.looking_up import cycle_of, locked_proposal
from mvote.budget.phases import require_review
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.reviewing.opining import review_of_member
from mvote.budget.reviewing.recusing import check_not_recused, recused_seats
from mvote.budget.reviewing.review import Review
from mvote.budget.seating import active_seats
from mvote.errors import ImpossibleTransition, NotAllowed
from mvote.journal import Event, write_down


@dataclass(frozen=True, kw_only=True)
class ReviewDiscussed(Event):
    kind: ClassVar[str] = "review:discussed"
    committee_id: uuid.UUID


def note_discussion(
    session: Session, *, proposal_id: uuid.UUID, citizen_id: uuid.UUID, around: Neighbourhood
) -> Review:
    """The chair records that the committee has discussed it: first opinions are over, second ones
    are open. Where the chair is recused, or there is none, the lowest number with a vote does.

    Raises NotFound, NotAllowed, NotUnderReview, PhaseNotOpen, Recused, ImpossibleTransition.
    """
    proposal = locked_proposal(session, proposal_id, citizen_id)
    cycle = cycle_of(session, proposal)
    review, seat = review_of_member(session, cycle, proposal, citizen_id)
    require_review(session, proposal)
    check_not_recused(session, proposal=proposal, seats=[seat], around=around)
    if seat.id != _in_the_chair(session, proposal, review):
        raise NotAllowed
    if review.discussed_at is not None:
        raise ImpossibleTransition(state="discussed", verb="discuss")
    review.discussed_at = database_time(session)
    session.flush()
    session.refresh(review)
    event = ReviewDiscussed(committee_id=review.committee_id)
    write_down(session, event, actor_id=citizen_id, subject_id=proposal_id)
    return review


def _in_the_chair(session: Session, proposal: Proposal, review: Review) -> uuid.UUID | None:
    committee = session.get_one(Committee, review.committee_id)
    recused = recused_seats(session, proposal.id)
    took_part = who_took_part(session, proposal)
    able = [
        seat
        for seat in active_seats(session, committee)
        if seat.has_vote and seat.id not in recused and seat.citizen_id not in took_part
    ]
    able.sort(key=lambda seat: (not seat.is_chair, seat.number))
    return able[0].id if able else None
