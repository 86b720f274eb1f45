"""How many drafts of proposals one citizen may leave lying in a cycle."""

from __future__ import annotations

import uuid

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from mvote.budget.proposal import Proposal
from mvote.budget.proposal_errors import TooManyProposalDrafts
from mvote.budget.proposal_people import ProposalAuthor

MOST_DRAFTS = 20
# One at a time for each citizen, or two at once would both find room.
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:whose, 12))")


def check_drafts(session: Session, *, cycle_id: uuid.UUID, author_id: uuid.UUID) -> None:
    """See that the citizen may begin one more. Raises TooManyProposalDrafts."""
    session.execute(_ALONE, {"whose": f"{cycle_id}/{author_id}"})
    lying = (
        select(func.count())
        .select_from(Proposal)
        .join(ProposalAuthor, ProposalAuthor.proposal_id == Proposal.id)
        .where(
            Proposal.cycle_id == cycle_id,
            Proposal.state == "draft",
            ProposalAuthor.citizen_id == author_id,
            ProposalAuthor.accepted_at.is_not(None),
        )
    )
    if session.scalars(lying).one() >= MOST_DRAFTS:
        raise TooManyProposalDrafts(most=MOST_DRAFTS)
