"""Opinions: handed in blind, frozen, and given again after the discussion."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from mvote.budget.cycle import Cycle
from mvote.budget.deliberation.taking_part import check_took_no_part, has_part
from mvote.budget.forming import today
from mvote.budget.looking_up import cycle_of, locked_proposal
from mvote.budget.phases import require_review
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.errors import NotUnderReview, OpinionFrozen
from mvote.budget.reviewing.interests import seats_held
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.reviewing.reading import Read, own_opinions
from mvote.budget.reviewing.recusing import check_not_recused
from mvote.budget.reviewing.review import FIRST, SECOND, Opinion, Review
from mvote.budget.reviewing.scoring import Scores, in_order
from mvote.budget.seat import Seat
from mvote.budget.seating import is_active_on
from mvote.errors import NotAllowed, Text
from mvote.journal import Event, write_down


@dataclass(frozen=True, kw_only=True)
class OpinionGiven(Event):
    """That it is in, never what it says."""

    kind: ClassVar[str] = "opinion:given"
    seat_id: uuid.UUID
    round: int


def give_opinion(
    session: Session,
    *,
    proposal_id: uuid.UUID,
    citizen_id: uuid.UUID,
    scores: Scores,
    comment: Text | None,
    around: Neighbourhood,
) -> Read:
    """Hand in a seat's opinion in the round that is open. The first is frozen at once; the second
    may be given anew until the judgment. The same first one again is taken as it is.

    Raises NotFound, NotAllowed, PhaseNotOpen, NotUnderReview, Recused, InvalidRequest,
    OpinionFrozen.
    """
    proposal = locked_proposal(session, proposal_id, citizen_id)
    cycle = cycle_of(session, proposal)
    review, seat = review_of_member(session, cycle, proposal, citizen_id)
    require_review(session, proposal)
    check_not_recused(session, proposal=proposal, seats=[seat], around=around)
    check_took_no_part(session, proposal, citizen_id)
    said = {"scores": in_order(cycle, scores, comment=comment), "comment": comment}
    number = FIRST if review.discussed_at is None else SECOND
    _put(session, review, seat, number, said)
    session.flush()
    return [each for each in own_opinions(session, proposal_id, seat) if each.round == number][-1]


def review_of_member(
    session: Session, cycle: Cycle, proposal: Proposal, citizen_id: uuid.UUID
) -> tuple[Review, Seat]:
    """The review that is open with a committee in which the citizen sits today, and their seat.

    Raises NotAllowed for whoever has a part in it nowhere, NotUnderReview.
    """
    day = today(session, cycle)
    held = [
        seat
        for seat in seats_held(session, cycle_id=cycle.id, citizen_id=citizen_id)
        if is_active_on(seat, day) and has_part(session, proposal, seat)
    ]
    if not held:
        raise NotAllowed
    seats = {seat.committee_id: seat for seat in held}
    found = session.scalars(
        select(Review)
        .where(
            Review.proposal_id == proposal.id,
            Review.committee_id.in_(seats),
            Review.judged_at.is_(None),
        )
        .order_by(Review.id)
        .execution_options(populate_existing=True)
    ).first()
    if found is None or proposal.state != "under_review":
        raise NotUnderReview
    return found, seats[found.committee_id]


def _put(session: Session, review: Review, seat: Seat, number: int, said: dict[str, Any]) -> None:
    key = {"review_id": review.id, "seat_id": seat.id, "round": number}
    known = session.get(Opinion, key, populate_existing=True) is not None
    if known and number == FIRST:
        _check_is_the_same(session, review, seat, said)
        return
    if known:
        mine = (Opinion.review_id == review.id, Opinion.seat_id == seat.id, Opinion.round == number)
        session.execute(update(Opinion).where(*mine).values(**said))
    else:
        session.execute(insert(Opinion).values(**key, **said))
    event = OpinionGiven(seat_id=seat.id, round=number)
    write_down(session, event, actor_id=seat.citizen_id, subject_id=review.proposal_id)


def _check_is_the_same(
    session: Session, review: Review, seat: Seat, said: Mapping[str, Any]
) -> None:
    """See that a first opinion which comes again says the same. Raises OpinionFrozen."""
    [before] = [
        each
        for each in own_opinions(session, review.proposal_id, seat)
        if each.review_id == review.id and each.round == FIRST
    ]
    if (before.scores, before.comment) != (said["scores"], said["comment"]):
        raise OpinionFrozen
