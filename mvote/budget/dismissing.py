"""Dismissing a member: two officers, with a reason. One alone could choose who votes."""

from __future__ import annotations

import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

from mvote.approvals import Approval, ask, one_at_a_time
from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.forming import committee_of
from mvote.budget.seat import Seat
from mvote.budget.seating import after_vacating
from mvote.errors import ImpossibleTransition, NotAllowed, NotFound, Text
from mvote.people.citizens import Citizen

ACT = "seat:vacate"
_VACATE = text("SELECT vacate_seat(:seat_id, :approval_id, :by)")


def dismiss(
    session: Session, *, committee_id: uuid.UUID, seat_id: uuid.UUID, by: Citizen, reason: Text
) -> Approval | None:
    """End a membership, or ask for it: the request that now waits, or None once it is done.

    An officer of the cycle's department asks, any second one carries it out; the next reserve moves
    up if the quotas still hold. Raises NotFound, NotAllowed, ImpossibleTransition.
    """
    one_at_a_time(session, committee_id)
    committee, seat = committee_of(session, committee_id), session.get(Seat, seat_id)
    if seat is None or seat.committee_id != committee.id:
        raise NotFound
    session.refresh(seat)
    if seat.state == "vacant":
        raise ImpossibleTransition(state="vacant", verb="vacate")
    arguments = {"reason": reason}
    approval = ask(session, act=ACT, subject_id=seat_id, arguments=arguments, officer_id=by.id)
    if approval.asked_by == by.id:
        _check_is_officers(session, committee, by)
        return approval
    bound = {"seat_id": seat_id, "approval_id": approval.id, "by": by.id}
    if not session.execute(_VACATE, bound).scalar_one():
        raise ImpossibleTransition(state="vacant", verb="vacate")
    session.refresh(seat)
    after_vacating(session, committee=committee, seat=seat, by=by.id, reason=reason)
    return None


def _check_is_officers(session: Session, committee: Committee, by: Citizen) -> None:
    if session.get_one(Cycle, committee.cycle_id).department_id not in by.department_ids:
        raise NotAllowed
