"""Cycles without a review: what was found feasible is approved by nobody's vote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.cycle import Cycle
from mvote.budget.looking_up import locked_proposals
from mvote.budget.proposal import Proposal
from mvote.journal import Event, write_down


@dataclass(frozen=True, kw_only=True)
class ApprovedUnreviewed(Event):
    kind: ClassVar[str] = "proposal:approved_unreviewed"


def approve_unreviewed(session: Session, *, cycle: Cycle) -> int:
    """Where the cycle has no review, approve what two officers found feasible; how many it were.

    To be called before the ballot takes what is approved.
    """
    if cycle.definition.get("review") is not None:
        return 0
    waiting = select(Proposal.id).where(Proposal.cycle_id == cycle.id, Proposal.state == "assessed")
    found = [
        proposal
        for proposal in locked_proposals(session, session.scalars(waiting)).values()
        if proposal.state == "assessed"
    ]
    for proposal in found:
        now = database_time(session)
        proposal.move("review", now=now)
        session.flush()  # the database sees every step
        proposal.move("approve", now=now)
        session.flush()
        write_down(session, ApprovedUnreviewed(), actor_id=None, subject_id=proposal.id)
    return len(found)
