"""Calling up: a committee takes up what officers found infeasible, nothing that was judged."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.budget.assessment import Assessment
from mvote.budget.deliberation.judgment import Judgment, Motion
from mvote.budget.proposal import Proposal
from mvote.errors import ImpossibleTransition

DECIDED: tuple[Motion, ...] = ("approve", "confirm", "reject")


def check_found_infeasible(session: Session, proposal: Proposal) -> None:
    """See that it was rejected with its assessment, not by a committee, against whose judgment its
    author may appeal. Raises ImpossibleTransition.

    The database's guard of judgments asks the same.
    """
    judged = (
        select(Judgment.id)
        .where(
            Judgment.proposal_id == proposal.id,
            Judgment.revision == proposal.revision,
            Judgment.state == "closed",
            Judgment.motion.in_(DECIDED),
        )
        .limit(1)
    )
    assessment = session.get(Assessment, (proposal.id, int(proposal.revision or 0)))
    is_judged = session.scalars(judged).one_or_none() is not None
    if proposal.appealed_at is not None or is_judged or assessment is None:
        raise ImpossibleTransition(state=proposal.state, verb="call_up")
