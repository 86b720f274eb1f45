"""Who confirms an allocation: the body, its majority, and whose votes count on a motion."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.errors import NoDecidingBody
from mvote.budget.definition.review import HALF
from mvote.budget.deliberation.rules import review_of, rule_of_review
from mvote.budget.judging import Majority
from mvote.budget.seat import Seat
from mvote.budget.seating import active_seats


def deciding_body(session: Session, cycle: Cycle) -> Committee:
    """The committee that the cycle's `decision` names: one for all before one for some headings.

    Raises NoDecidingBody.
    """
    kind = (cycle.definition.get("decision") or {}).get("by", "plenary")
    of_cycle = select(Committee).where(Committee.cycle_id == cycle.id, Committee.kind == kind)
    found = session.scalars(of_cycle.order_by(Committee.id)).all()
    if not found:
        raise NoDecidingBody(body=kind)
    return min(found, key=lambda each: len(each.headings) + len(each.area_codes))


def majority_of(cycle: Cycle) -> Majority:
    """Quorum and majority as the cycle's review has them; what it leaves open is a half."""
    if cycle.definition.get("review") is None:
        return Majority(quorum=HALF, carried=HALF, floor=1)
    return rule_of_review(review_of(cycle))


def voting_seats(session: Session, committee: Committee) -> list[Seat]:
    """The filled seats with a vote whose term runs today."""
    return [each for each in active_seats(session, committee) if each.has_vote]


def names_of(seats: Collection[Seat]) -> frozenset[str]:
    """The seats as `judging` knows them."""
    return frozenset(str(each.id) for each in seats)
