"""Finding one proposal: who may know of it, whose it is, and locking what is going to change."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.budget.cycle import Cycle
from mvote.budget.paper_entry import acts_for_paper
from mvote.budget.proposal import Proposal
from mvote.budget.proposal_people import ProposalAuthor
from mvote.errors import NotAllowed, NotFound


def proposal_known_to(
    session: Session, proposal_id: uuid.UUID, citizen_id: uuid.UUID | None
) -> Proposal:
    """The proposal; what was never submitted only for its authors and who was invited.

    Raises NotFound.
    """
    proposal = session.get(Proposal, proposal_id)
    if proposal is None or not _may_know(session, proposal, citizen_id):
        raise NotFound
    return proposal


def _may_know(session: Session, proposal: Proposal, citizen_id: uuid.UUID | None) -> bool:
    if proposal.reference is not None:
        return True
    return author_row(session, proposal.id, citizen_id) is not None


def author_row(
    session: Session, proposal_id: uuid.UUID, citizen_id: uuid.UUID | None
) -> ProposalAuthor | None:
    """The citizen as author or invited co-author."""
    if citizen_id is None:
        return None
    return session.get(ProposalAuthor, (proposal_id, citizen_id), populate_existing=True)


def is_author(session: Session, proposal_id: uuid.UUID, citizen_id: uuid.UUID | None) -> bool:
    """Whether the citizen is an author; who was only invited is not."""
    found = author_row(session, proposal_id, citizen_id)
    return found is not None and found.accepted_at is not None


def acts_for(session: Session, proposal_id: uuid.UUID, citizen_id: uuid.UUID | None) -> bool:
    """Whether the citizen is an author, or an officer who acts for one who wrote on paper."""
    return is_author(session, proposal_id, citizen_id) or acts_for_paper(
        session, proposal_id, citizen_id
    )


def locked_proposals(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Proposal]:
    """The proposals, locked for change in the order of their ids. Raises NotFound.

    Their cycles are held first, as by whoever acts on a whole cycle: nobody waits in a circle.
    """
    wanted = sorted(set(ids))
    theirs = select(Proposal.cycle_id).where(Proposal.id.in_(wanted))
    cycles = select(Cycle.id).where(Cycle.id.in_(theirs)).order_by(Cycle.id)
    session.execute(cycles.with_for_update(read=True))
    rows = select(Proposal).where(Proposal.id.in_(wanted)).order_by(Proposal.id).with_for_update()
    found = session.scalars(rows.execution_options(populate_existing=True)).all()
    if len(found) < len(wanted):
        raise NotFound
    return {proposal.id: proposal for proposal in found}


def locked_proposal(
    session: Session, proposal_id: uuid.UUID, citizen_id: uuid.UUID | None
) -> Proposal:
    """The proposal, locked for change, if *citizen_id* may know of it. Raises NotFound."""
    proposal = locked_proposals(session, [proposal_id])[proposal_id]
    if not _may_know(session, proposal, citizen_id):
        raise NotFound
    return proposal


def own_proposal(session: Session, proposal_id: uuid.UUID, citizen_id: uuid.UUID) -> Proposal:
    """The proposal, locked for change, if the citizen acts for it. Raises NotFound, NotAllowed."""
    proposal = locked_proposal(session, proposal_id, citizen_id)
    if not acts_for(session, proposal_id, citizen_id):
        raise NotAllowed
    return proposal


def cycle_of(session: Session, proposal: Proposal) -> Cycle:
    """The cycle it was proposed in."""
    return session.get_one(Cycle, proposal.cycle_id)
