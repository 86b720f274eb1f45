"""Stepping aside: a member declares an interest, and others read in their place."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.forming import committee_of
from mvote.budget.looking_up import locked_proposal, proposal_known_to
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.giving_out import give_out_again
from mvote.budget.reviewing.interests import declare_interests, seats_held
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.reviewing.recusal import Ground, Recusal
from mvote.budget.reviewing.recusing import declare, note_recusals
from mvote.budget.seat import Seat
from mvote.errors import NotFound


def step_aside(
    session: Session, *, proposal_id: uuid.UUID, citizen_id: uuid.UUID, ground: Ground
) -> tuple[Recusal, Seat]:
    """Have no part in a proposal; public at once. The first ground stands.

    Raises NotFound, NotAllowed for whoever sits nowhere.
    """
    cycle_id = proposal_known_to(session, proposal_id, citizen_id).cycle_id
    one_at_a_time(session, cycle_id)
    proposal = locked_proposal(session, proposal_id, citizen_id)
    mine = declare(session, proposal=proposal, citizen_id=citizen_id, ground=ground)
    give_out_again(session, cycle=session.get_one(Cycle, cycle_id))
    return mine[0]


def note_own_recusal(
    session: Session, *, proposal_id: uuid.UUID, citizen_id: uuid.UUID, around: Neighbourhood
) -> None:
    """Recuse the citizen if an interest of theirs is known now. Raises NotFound.

    In a transaction of its own, before they act: the refusal that follows undoes its own.
    """
    proposal = proposal_known_to(session, proposal_id, citizen_id)
    seats = seats_held(session, cycle_id=proposal.cycle_id, citizen_id=citizen_id)
    if seats:
        note_recusals(session, proposals=[proposal], seats=seats, around=around)


def declare_interests_of(
    session: Session,
    *,
    committee_id: uuid.UUID,
    citizen_id: uuid.UUID,
    interests: dict[str, Any],
    around: Neighbourhood,
) -> Seat:
    """Declare what may lie too near to a project; whatever does recuses the member at once.

    It holds for every seat that one has in the cycle. Raises NotFound for whoever does not sit in
    this committee.
    """
    seat = own_seat(session, committee_id=committee_id, citizen_id=citizen_id)
    cycle = session.get_one(Cycle, session.get_one(Committee, committee_id).cycle_id)
    one_at_a_time(session, cycle.id)
    declare_interests(session, seat=seat, interests=interests)
    seats = seats_held(session, cycle_id=cycle.id, citizen_id=citizen_id)
    submitted = _submitted(session, cycle.id)
    if note_recusals(session, proposals=submitted, seats=seats, around=around):
        give_out_again(session, cycle=cycle)
    return seat


def own_seat(session: Session, *, committee_id: uuid.UUID, citizen_id: uuid.UUID) -> Seat:
    """The seat that the citizen has in the committee. Raises NotFound."""
    committee = committee_of(session, committee_id)
    for seat in seats_held(session, cycle_id=committee.cycle_id, citizen_id=citizen_id):
        if seat.committee_id == committee_id:
            return seat
    raise NotFound


def _submitted(session: Session, cycle_id: uuid.UUID) -> Sequence[Proposal]:
    """All that a committee may have to judge, or has judged."""
    of_it = select(Proposal).where(Proposal.cycle_id == cycle_id, Proposal.reference.is_not(None))
    return session.scalars(of_it.order_by(Proposal.id)).all()
