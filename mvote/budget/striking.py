"""Striking a project from the ballot: by two officers, with a public reason.

It stays on the ballot, because ballots were cast for it, and is never funded.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mvote.approvals import Approval, ask, one_at_a_time
from mvote.base import database_time
from mvote.budget.assessment import Strike
from mvote.budget.looking_up import proposal_known_to
from mvote.budget.proposal import Proposal, after
from mvote.errors import ImpossibleTransition, Text
from mvote.journal import Event, write_down

_STRIKE = text("SELECT strike_proposal(:proposal_id, :approval_id, :by)")


@dataclass(frozen=True, kw_only=True)
class ProposalStruck(Event):
    kind: ClassVar[str] = "proposal:struck"
    approval_id: uuid.UUID


def strike(
    session: Session, *, proposal_id: uuid.UUID, by: uuid.UUID, reason: Text
) -> Approval | None:
    """Strike it, or ask for it: the request that now waits, or None once it is done.

    Raises NotFound, ImpossibleTransition.
    """
    one_at_a_time(session, proposal_id)
    proposal = proposal_known_to(session, proposal_id, None)
    session.refresh(proposal)
    after(proposal.state_at(database_time(session)), "strike")
    approval = ask(
        session,
        act="proposal:strike",
        subject_id=proposal_id,
        arguments={"text": reason},
        officer_id=by,
    )
    if approval.asked_by == by:
        return approval
    _carry_out(session, proposal, approval, by)
    return None


def strikes_of(session: Session, proposals: Collection[uuid.UUID]) -> dict[uuid.UUID, Strike]:
    """What each of them was struck by, where it was."""
    of_them = select(Strike).where(Strike.proposal_id.in_(proposals))
    return {each.proposal_id: each for each in session.scalars(of_them)} if proposals else {}


def _carry_out(session: Session, proposal: Proposal, approval: Approval, by: uuid.UUID) -> None:
    bound = {"proposal_id": proposal.id, "approval_id": approval.id, "by": by}
    is_done = session.execute(_STRIKE, bound).scalar_one()
    session.refresh(proposal)
    if not is_done:
        raise ImpossibleTransition(state=proposal.state, verb="strike")
    write_down(
        session, ProposalStruck(approval_id=approval.id), actor_id=by, subject_id=proposal.id
    )
