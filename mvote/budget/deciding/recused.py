"""Who does not vote on a motion: members with an interest in a project that it changes.

Where a motion only confirms what the rule gave, it favours nobody's project.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.budget.deciding.motion import Motion
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.detecting import detect
from mvote.budget.reviewing.errors import Recused
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.reviewing.recusal import Recusal
from mvote.budget.reviewing.recusing import note_recusals, recused_pairs
from mvote.budget.seat import Seat


def changed_by(session: Session, motion: Motion) -> Sequence[Proposal]:
    """The projects that the motion names."""
    named = [each["reference"] for each in motion.changes]
    of_them = select(Proposal).where(
        Proposal.cycle_id == motion.cycle_id, Proposal.reference.in_(named)
    )
    return session.scalars(of_them).all()


def check_may_vote(session: Session, *, motion: Motion, seat: Seat, around: Neighbourhood) -> None:
    """Raise Recused if the seat has an interest that is known, or is found now."""
    changed = changed_by(session, motion)
    known = select(Recusal.ground).where(
        Recusal.seat_id == seat.id, Recusal.proposal_id.in_([each.id for each in changed])
    )
    grounds = list(session.scalars(known.order_by(Recusal.at)))
    grounds += detect(session, proposals=changed, seats=[seat], around=around).values()
    if grounds:
        raise Recused(ground=grounds[0])


def recused_from(
    session: Session, *, motion: Motion, seats: Sequence[Seat], around: Neighbourhood
) -> frozenset[str]:
    """Which of *seats* are in no quorum on the motion; what is found now is written down."""
    changed = changed_by(session, motion)
    note_recusals(session, proposals=changed, around=around, seats=seats)
    pairs = recused_pairs(session, (each.id for each in changed))
    return frozenset(str(seat_id) for _, seat_id in pairs)
